// A tenant that cannot be loaded for now: how long the others who ask for it wait.
#include "issuance/tenants.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hsm/key_store.h"
#include "issuance/store/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// Gives no answer to what is asked last in a load, until it is told to.
class StuckStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    asked.set_value();
    go_on.get_future().wait();
    return ForwardingStore::ListRoots(tenant_id);
  }

  std::promise<void> asked;
  std::promise<void> go_on;
};

TEST(TenantsTest, WhereALoadGivesNoAnswerOnlyTheFirstOthersWait) {
  const TemporaryDirectory directory;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> sqlite,
                       OpenSqliteStore(directory.File("store.sqlite")));
  StuckStore store(sqlite.get());
  hsm::KeyStoreOptions options;
  options.software_directory = directory.File("keys");
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<hsm::KeyStore> keys, hsm::KeyStore::Create(options));
  TenantRecord tenant;
  tenant.tenant_id = "contoso";
  tenant.display_name = "Contoso";
  ASSERT_OK(store.CreateTenant(tenant));
  Tenants tenants(&store, keys.get(), IssuingConfig(), std::map<std::string, IssuingConfig>());

  auto stuck = std::async(std::launch::async, [&] { return tenants.Snapshot("contoso"); });
  store.asked.get_future().wait();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(tenants.Snapshot("contoso"), FailsWith(ErrorReason::kKeyUnavailable));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10))
      << "each of a service's threads would be taken for a second by each request";
  store.go_on.set_value();
  EXPECT_OK(stuck.get());
  EXPECT_OK(tenants.Snapshot("contoso"));
}

}  // namespace
}  // namespace hourglass::issuance
