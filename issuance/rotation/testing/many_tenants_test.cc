#include "issuance/rotation/testing/many_tenants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "issuance/authorities/tenants.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

class ManyTenantsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
  }

  absl::StatusOr<std::vector<std::string>> Make(const TenantsToMake& order) {
    return MakeTenants(order, store_.get(), keys_.get(), &entropy_, &clock_);
  }

  const TemporaryDirectory directory_;
  const ManualClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
};

TEST_F(ManyTenantsTest, EachCanIssueAndHasARetiringAPrimaryAndAStagedRoot) {
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> tenant_ids, Make({.tenants = 12}));

  Tenants tenants(store_.get(), keys_.get(), IssuingConfig(), {});
  ASSERT_EQ(tenant_ids.size(), 12u);
  EXPECT_EQ(tenant_ids.front(), "t00000");
  for (const std::string& tenant_id : tenant_ids) {
    ASSERT_OK_AND_ASSIGN(const std::vector<RootRecord> roots, store_->ListRoots(tenant_id));
    std::vector<ca::RootState> states;
    for (const RootRecord& root : roots) states.push_back(root.state);
    EXPECT_THAT(states, testing::ElementsAre(ca::RootState::kRetiring, ca::RootState::kPrimary,
                                             ca::RootState::kStaged));
    ASSERT_OK_AND_ASSIGN(const auto snapshot, tenants.Snapshot(tenant_id));
    EXPECT_EQ(snapshot->primary_root_id, "r2");
    EXPECT_NE(snapshot->primary, nullptr);
    EXPECT_EQ(snapshot->epoch, 2u);
    ASSERT_OK_AND_ASSIGN(const auto planned, store_->ListPlannedKeys(tenant_id));
    EXPECT_THAT(planned, testing::IsEmpty());
  }
}

TEST_F(ManyTenantsTest, ATakenIdIsAnError) {
  const TenantsToMake one{.tenants = 1, .roots_per_tenant = 1};
  EXPECT_OK(Make(one));
  EXPECT_THAT(Make(one), FailsWith(ErrorReason::kTenantExists));
}

}  // namespace
}  // namespace hourglass::issuance
