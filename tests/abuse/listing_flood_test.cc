// One caller's listings, however many, keep nobody from switching a root or issuing.
#include "tests/support/listing_flood.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

constexpr int kOutstanding = 2500;

class ListingFloodTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.Start()) << daemon_.Log();
    daemon_.MakeReady();
    daemon_.CreateRoot("contoso", /*make_primary=*/false);
    for (int i = 0; i < 50; ++i) ASSERT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
  }

  std::unique_ptr<ListingFlood> Flood() {
    const TlsCredential& auditor = daemon_.CredentialOf(kAuditor);
    auto flood = std::make_unique<ListingFlood>(
        ListingFlood::Options{.address = daemon_.address(),
                              .trusted_roots = ReadFileOrDie(daemon_.tls().trusted_roots_file()),
                              .certificate_chain = ReadFileOrDie(auditor.certificate_file),
                              .private_key = ReadFileOrDie(auditor.private_key_file),
                              .tenant_id = "contoso",
                              .outstanding = kOutstanding});
    while (flood->answered() + flood->refused() < 100) std::this_thread::yield();
    return flood;
  }

  // The other root becomes the primary: the first time it is promoted, then it is gone back to.
  grpc::Status Switch(const std::string& root_id) {
    const auto stub = daemon_.As<v1::RootService>(kAdministrator);
    grpc::ClientContext context;
    // A bound for slow machines; what is asserted is that it is not refused.
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    v1::Root root;
    root.set_tenant_id("contoso");
    root.set_root_id(root_id);
    if (std::exchange(is_first_, false)) {
      return stub->PromoteRoot(&context, ServiceClient::PromotionOf(root), &root);
    }
    v1::RollBackRootRequest request;
    request.set_tenant_id("contoso");
    request.set_root_id(root_id);
    return stub->RollBackRoot(&context, request, &root);
  }

  Daemon daemon_;
  bool is_first_ = true;
};

TEST_F(ListingFloodTest, PromotionsAndIssuingGoOn) {
  const auto flood = Flood();
  for (const char* root_id : {"r2", "r1", "r2", "r1"}) {
    const int before = flood->answered() + flood->refused();
    EXPECT_THAT(Switch(root_id), Succeeded());
    EXPECT_THAT(daemon_.Issue(daemon_.Request()), Succeeded());
    // However slow the machine is: neither waited until those before it were answered.
    EXPECT_LT(flood->answered() + flood->refused() - before, kOutstanding / 2);
    // Meanwhile the auditor is served, too.
    while (flood->answered() + flood->refused() == before) std::this_thread::yield();
  }
  EXPECT_EQ(flood->outstanding(), kOutstanding);
  EXPECT_GT(flood->answered(), 0);
  std::cout << flood->answered() << " listings answered, " << flood->refused() << " refused\n";
}

}  // namespace
}  // namespace hourglass
