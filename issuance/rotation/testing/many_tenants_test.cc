#include "issuance/rotation/testing/many_tenants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "issuance/store/sqlite_store.h"
#include "issuance/tenants.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

TEST(ManyTenantsTest, EachCanIssueAndHasARetiringAPrimaryAndAStagedRoot) {
  const TemporaryDirectory directory;
  const ManualClock clock;
  SystemEntropy entropy;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                       OpenSqliteStore(directory.File("store.sqlite")));
  hsm::KeyStoreOptions options;
  options.software_directory = directory.File("keys");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<hsm::KeyStore> keys, hsm::KeyStore::Create(options));

  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> tenant_ids,
                       MakeTenants({.tenants = 12}, store.get(), keys.get(), &entropy, &clock));

  Tenants tenants(store.get(), keys.get(), IssuingConfig(), {});
  ASSERT_EQ(tenant_ids.size(), 12u);
  EXPECT_EQ(tenant_ids.front(), "t00000");
  for (const std::string& tenant_id : tenant_ids) {
    ASSERT_OK_AND_ASSIGN(const std::vector<RootRecord> roots, store->ListRoots(tenant_id));
    std::vector<ca::RootState> states;
    for (const RootRecord& root : roots) states.push_back(root.state);
    EXPECT_THAT(states, testing::ElementsAre(ca::RootState::kRetiring, ca::RootState::kPrimary,
                                             ca::RootState::kStaged));
    ASSERT_OK_AND_ASSIGN(const auto snapshot, tenants.Snapshot(tenant_id));
    EXPECT_EQ(snapshot->primary_root_id, "r2");
    EXPECT_NE(snapshot->primary, nullptr);
    EXPECT_EQ(snapshot->epoch, 2u);
    ASSERT_OK_AND_ASSIGN(const auto planned, store->ListPlannedKeys(tenant_id));
    EXPECT_THAT(planned, testing::IsEmpty());
  }
}

TEST(ManyTenantsTest, ATakenIdIsAnError) {
  const TemporaryDirectory directory;
  const ManualClock clock;
  SystemEntropy entropy;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                       OpenSqliteStore(directory.File("store.sqlite")));
  hsm::KeyStoreOptions options;
  options.software_directory = directory.File("keys");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<hsm::KeyStore> keys, hsm::KeyStore::Create(options));
  const TenantsToMake one{.tenants = 1, .roots_per_tenant = 1};
  EXPECT_OK(MakeTenants(one, store.get(), keys.get(), &entropy, &clock));
  EXPECT_THAT(MakeTenants(one, store.get(), keys.get(), &entropy, &clock),
              FailsWith(ErrorReason::kTenantExists));
}

}  // namespace
}  // namespace hourglass::issuance
