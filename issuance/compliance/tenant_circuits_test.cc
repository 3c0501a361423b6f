#include "issuance/compliance/tenant_circuits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

using std::chrono::seconds;
using Kind = CircuitBreaker::Admission::Kind;
using Outcome = CircuitBreaker::Outcome;
using Change = CircuitBreaker::Change;

class TenantCircuitsTest : public testing::Test {
 protected:
  Change Ask(const std::string& tenant, Outcome outcome) {
    const auto admission = circuits_.Admit(tenant, now_);
    EXPECT_EQ(admission.kind, Kind::kAsk) << tenant;
    return circuits_.Settle(tenant, admission, outcome, now_);
  }

  TenantCircuits circuits_{{.failures = 2, .open_for = seconds(2)}};
  CircuitBreaker::Time now_ = CircuitBreaker::Time(seconds(1000));
};

TEST_F(TenantCircuitsTest, OneTenantsFailuresOpenNoOthersCircuit) {
  for (int i = 0; i < 5; ++i) Ask("fabrikam", Outcome::kAnswered);
  Ask("contoso", Outcome::kFailed);
  Ask("fabrikam", Outcome::kFailed);
  EXPECT_EQ(Ask("contoso", Outcome::kFailed), Change::kOpened);
  EXPECT_EQ(circuits_.Admit("contoso", now_).kind, Kind::kRefused);
  Ask("fabrikam", Outcome::kAnswered);
  Ask("tailspin", Outcome::kAnswered);
  // Each has a probe of its own.
  Ask("fabrikam", Outcome::kFailed);
  EXPECT_EQ(Ask("fabrikam", Outcome::kFailed), Change::kOpened);
  now_ += seconds(2);
  const auto contoso = circuits_.Admit("contoso", now_);
  const auto fabrikam = circuits_.Admit("fabrikam", now_);
  EXPECT_EQ(contoso.kind, Kind::kProbe);
  EXPECT_EQ(fabrikam.kind, Kind::kProbe);
  EXPECT_EQ(circuits_.Settle("contoso", contoso, Outcome::kAnswered, now_), Change::kClosed);
  Ask("contoso", Outcome::kAnswered);
  EXPECT_EQ(circuits_.Admit("fabrikam", now_).kind, Kind::kRefused);
}

TEST_F(TenantCircuitsTest, AnswersOfManyThreadsLeaveNothingBehind) {
  std::vector<std::thread> threads;
  std::atomic<int> asked = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, tenant = absl::StrCat("tenant-", t)] {
      for (int i = 0; i < 2000; ++i) {
        const auto admission = circuits_.Admit(tenant, now_);
        asked += admission.kind == Kind::kAsk ? 1 : 0;
        // Every other one, so that no two are in a row.
        circuits_.Settle(tenant, admission, i % 2 == 0 ? Outcome::kFailed : Outcome::kAnswered,
                         now_);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked, 8000);
  for (int t = 0; t < 4; ++t) Ask(absl::StrCat("tenant-", t), Outcome::kFailed);
  for (int t = 0; t < 4; ++t) {
    EXPECT_EQ(Ask(absl::StrCat("tenant-", t), Outcome::kFailed), Change::kOpened);
  }
}

}  // namespace
}  // namespace hourglass::issuance
