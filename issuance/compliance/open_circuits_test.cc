#include "issuance/compliance/open_circuits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace hourglass::issuance {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

OpenCircuit Of(const std::string& tenant, int at) {
  return {tenant, Timestamp(seconds(at)), "gRPC status 14: connection refused"};
}

std::vector<std::string> Tenants(const OpenCircuits& circuits) {
  std::vector<std::string> tenants;
  for (const OpenCircuit& circuit : circuits.List()) tenants.push_back(circuit.tenant_id);
  return tenants;
}

TEST(OpenCircuitsTest, AreThoseThatOpenedAndHaveNotClosed) {
  OpenCircuits circuits;
  EXPECT_THAT(circuits.List(), IsEmpty());
  circuits.Opened(Of("fabrikam", 7));
  circuits.Opened(Of("contoso", 8));
  EXPECT_THAT(Tenants(circuits), ElementsAre("contoso", "fabrikam"));
  EXPECT_EQ(circuits.List()[0].since, Timestamp(seconds(8)));
  EXPECT_EQ(circuits.List()[0].failure, "gRPC status 14: connection refused");
  circuits.Closed("fabrikam");
  EXPECT_THAT(Tenants(circuits), ElementsAre("contoso"));
}

TEST(OpenCircuitsTest, OneThatClosesBeforeItsOpeningIsToldIsNotOpen) {
  OpenCircuits circuits;
  circuits.Closed("contoso");
  EXPECT_THAT(circuits.List(), IsEmpty());
  circuits.Opened(Of("contoso", 7));
  EXPECT_THAT(circuits.List(), IsEmpty());
  circuits.Opened(Of("contoso", 9));
  ASSERT_EQ(circuits.List().size(), 1u);
  EXPECT_EQ(circuits.List()[0].since, Timestamp(seconds(9)));
}

TEST(OpenCircuitsTest, ManyThreadsLeaveNothingBehind) {
  OpenCircuits circuits;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&circuits] {
      for (int i = 0; i < 1000; ++i) {
        circuits.Opened(Of("contoso", i));
        circuits.List();
        circuits.Closed("contoso");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(circuits.List(), IsEmpty());
}

}  // namespace
}  // namespace hourglass::issuance
