#include "issuance/key_warm_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "hsm/key_store.h"
#include "issuance/entropy.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/store/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// Tenants with a primary root each, and their keys in files.
class KeyWarmUpTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    Tenants tenants(store_.get(), keys_.get(), IssuingConfig(), {});
    RootAdministration roots(store_.get(), keys_.get(), &tenants, &entropy_, &clock_);
    for (const std::string& tenant_id : tenant_ids_) {
      TenantRecord tenant;
      tenant.tenant_id = tenant_id;
      tenant.display_name = "Contoso";
      tenant.created_at = clock_.Now();
      ASSERT_OK(store_->CreateTenant(tenant));
      RootOrder order;
      order.tenant_id = tenant_id;
      order.duration = std::chrono::hours(24 * 365);
      order.key_type = hsm::KeyType::kEcP256;
      ASSERT_OK_AND_ASSIGN(const RootRecord root, roots.Create(order));
      ASSERT_OK(roots.Promote(tenant_id, root.root_id));
    }
    tenants_.emplace(store_.get(), keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
  }

  // Whether the tenant's key is open: then it is not asked for again, and may be away.
  bool IsOpen(const std::string& tenant_id) {
    const std::filesystem::path keys = directory_.File("keys");
    const std::filesystem::path away = directory_.File("away");
    std::filesystem::rename(keys, away);
    const bool open = tenants_->Snapshot(tenant_id).ok();
    std::filesystem::rename(away, keys);
    return open;
  }

  // Looks seldom: while it looks, the keys are away, and what is being opened fails and pauses.
  bool AllOpenWithin(std::chrono::seconds bound) {
    const auto end = std::chrono::steady_clock::now() + bound;
    for (const std::string& tenant_id : tenant_ids_) {
      while (!IsOpen(tenant_id)) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    }
    return true;
  }

  const std::vector<std::string> tenant_ids_ = {"a", "b", "c", "d", "e", "f"};
  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::optional<Tenants> tenants_;
};

TEST_F(KeyWarmUpTest, OpensEveryKeyBeforeAnybodyAsks) {
  EXPECT_FALSE(IsOpen("a"));
  const KeyWarmUp warm_up(tenant_ids_, &*tenants_, EventLog::Silent());
  EXPECT_TRUE(AllOpenWithin(std::chrono::seconds(60)));
}

TEST_F(KeyWarmUpTest, TriesAgainWhatFailed) {
  std::filesystem::rename(directory_.File("keys"), directory_.File("lost"));
  std::filesystem::create_directory(directory_.File("keys"));
  const KeyWarmUp warm_up(tenant_ids_, &*tenants_, EventLog::Silent());
  EXPECT_FALSE(IsOpen("f"));
  std::filesystem::remove(directory_.File("keys"));
  std::filesystem::rename(directory_.File("lost"), directory_.File("keys"));
  EXPECT_TRUE(AllOpenWithin(std::chrono::seconds(60)));
}

TEST_F(KeyWarmUpTest, EndsWhileSomethingCannotBeOpened) {
  std::filesystem::remove_all(directory_.File("keys"));
  const auto begin = std::chrono::steady_clock::now();
  { const KeyWarmUp warm_up(tenant_ids_, &*tenants_, EventLog::Silent()); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace hourglass::issuance
