#include "issuance/authorities/key_warm_up.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "hsm/store/key_store.h"
#include "issuance/base/entropy.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/testing/many_tenants.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/softhsm_token.h"
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
      tenant.display_name = tenant_id;
      tenant.created_at = clock_.Now();
      ASSERT_OK(store_->CreateTenant(tenant));
      RootOrder order;
      order.tenant_id = tenant_id;
      order.duration = std::chrono::hours(24 * 365);
      order.key_type = hsm::KeyType::kEcP256;
      ASSERT_OK_AND_ASSIGN(const RootRecord root, roots.Create(order));
      ASSERT_OK(roots.Promote(
          {.tenant_id = tenant_id, .root_id = root.root_id, .without_relying_parties = true}));
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
  const KeyWarmUp warm_up(tenant_ids_, &*tenants_, keys_.get(), EventLog::Silent());
  EXPECT_TRUE(AllOpenWithin(std::chrono::seconds(60)));
}

TEST_F(KeyWarmUpTest, TriesAgainWhatFailed) {
  std::filesystem::rename(directory_.File("keys"), directory_.File("lost"));
  std::filesystem::create_directory(directory_.File("keys"));
  const KeyWarmUp warm_up(tenant_ids_, &*tenants_, keys_.get(), EventLog::Silent());
  EXPECT_FALSE(IsOpen("f"));
  std::filesystem::remove(directory_.File("keys"));
  std::filesystem::rename(directory_.File("lost"), directory_.File("keys"));
  EXPECT_TRUE(AllOpenWithin(std::chrono::seconds(60)));
}

TEST_F(KeyWarmUpTest, EndsWhileSomethingCannotBeOpened) {
  std::filesystem::remove_all(directory_.File("keys"));
  const auto begin = std::chrono::steady_clock::now();
  { const KeyWarmUp warm_up(tenant_ids_, &*tenants_, keys_.get(), EventLog::Silent()); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

// More tenants than are warmed up, and a token that none of their keys is in.
class ManyTenantsWarmUpTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(store_, OpenSqliteStore(directory_.File("store.sqlite")));
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(const auto folder, hsm::KeyStore::Create(options));
    constexpr int kTenants = KeyWarmUp::kMostTenants + 10;
    ASSERT_OK_AND_ASSIGN(tenant_ids_, MakeTenants({.tenants = kTenants, .roots_per_tenant = 1},
                                                  store_.get(), folder.get(), &entropy_, &clock_));
    options.tokens = {softhsm_.Uri()};
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    tenants_.emplace(store_.get(), keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
  }

  static bool Within(std::chrono::seconds bound, const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + bound;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

  bool TokenIsReady() const { return keys_->Status().front().second.logins > 0; }

  SofthsmToken softhsm_;
  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::vector<std::string> tenant_ids_;
  std::optional<Tenants> tenants_;
};

TEST_F(ManyTenantsWarmUpTest, OnlyTheFirstAreOpenedAndTokensAreMadeReady) {
  {
    const KeyWarmUp warm_up(tenant_ids_, &*tenants_, keys_.get(), EventLog::Silent());
    EXPECT_TRUE(Within(std::chrono::seconds(60), [&] {
      return tenants_->loaded() >= KeyWarmUp::kMostTenants && TokenIsReady();
    }));
  }
  EXPECT_EQ(tenants_->loaded(), KeyWarmUp::kMostTenants);
  EXPECT_OK(tenants_->Snapshot(tenant_ids_.back())) << "a request opens the others";
  EXPECT_EQ(tenants_->loaded(), KeyWarmUp::kMostTenants + 1);
}

TEST_F(ManyTenantsWarmUpTest, WhereAllAreOpenedATokenWithoutTenantsIsLeftAlone) {
  tenant_ids_.resize(KeyWarmUp::kMostTenants);
  {
    const KeyWarmUp warm_up(tenant_ids_, &*tenants_, keys_.get(), EventLog::Silent());
    EXPECT_TRUE(Within(std::chrono::seconds(60),
                       [&] { return tenants_->loaded() >= KeyWarmUp::kMostTenants; }));
  }
  EXPECT_FALSE(TokenIsReady());
}

}  // namespace
}  // namespace hourglass::issuance
