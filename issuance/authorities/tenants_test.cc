// How long others wait for a tenant that cannot be loaded for now, and how many are kept.
#include "issuance/authorities/tenants.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hsm/store/key_store.h"
#include "issuance/base/entropy.h"
#include "issuance/rotation/testing/many_tenants.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// Gives no answer to what is asked last in the first load, until it is told to.
class StuckStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    if (is_first_.exchange(false)) {
      asked.set_value();
      go_on.get_future().wait();
    }
    return ForwardingStore::ListRoots(tenant_id);
  }

  std::promise<void> asked;
  std::promise<void> go_on;

 private:
  std::atomic<bool> is_first_ = true;
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

// Writes down which tenants are loaded, and holds up the load of one if it is told to.
class WatchedStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id) override {
    if (tenant_id == held_up) {
      asked.set_value();
      go_on.get_future().wait();
    }
    {
      const std::lock_guard lock(mutex_);
      loads_.emplace_back(tenant_id);
    }
    return ForwardingStore::ListRoots(tenant_id);
  }

  auto LoadsOf(const std::string& tenant_id) {
    const std::lock_guard lock(mutex_);
    return std::count(loads_.begin(), loads_.end(), tenant_id);
  }

  std::string held_up;
  std::promise<void> asked;
  std::promise<void> go_on;

 private:
  std::mutex mutex_;
  std::vector<std::string> loads_;  // guarded by mutex_
};

class LoadedTenantsTest : public testing::Test {
 protected:
  static constexpr std::size_t kBound = 10;
  static constexpr int kTenants = 15;

  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(sqlite_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(sqlite_.get());
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(options));
    ASSERT_OK_AND_ASSIGN(
        tenant_ids_, MakeTenants({.tenants = kTenants}, &*store_, keys_.get(), &entropy_, &clock_));
    tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), std::map<std::string, IssuingConfig>(),
                     nullptr, kBound);
  }

  void LoadAllBut(const std::string& left_out) {
    for (const std::string& tenant_id : tenant_ids_) {
      if (tenant_id == left_out) continue;
      EXPECT_OK(tenants_->Snapshot(tenant_id));
    }
  }

  // The staged root becomes the primary.
  void Promote(const std::string& tenant_id, Store& store) {
    ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store.GetTenant(tenant_id));
    ASSERT_OK(store.ChangeRootStates(tenant_id, tenant.revision,
                                     {{"r2", ca::RootState::kPrimary, ca::RootState::kRetiring},
                                      {"r3", ca::RootState::kStaged, ca::RootState::kPrimary}},
                                     {clock_.Now()}));
  }

  // As another process would do it: its feed is its own, and nothing of the change comes here.
  void PromoteElsewhere(const std::string& tenant_id) {
    ASSERT_OK_AND_ASSIGN(const auto other, OpenSqliteStore(directory_.File("store.sqlite")));
    Promote(tenant_id, *other);
  }

  absl::Status Write(const Intent& intent) {
    const JournalWrite write = intent;
    const auto statuses = store_->AppendToJournal({&write, 1});
    return statuses.ok() ? statuses->front() : statuses.status();
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> sqlite_;
  std::optional<WatchedStore> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::vector<std::string> tenant_ids_;
  std::optional<Tenants> tenants_;
};

TEST_F(LoadedTenantsTest, OnlyWhatIsAskedForIsLoadedAndOnlyOnce) {
  EXPECT_EQ(tenants_->loaded(), 0u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_OK(tenants_->CheckExists("t00001"));
    EXPECT_OK(tenants_->Snapshot("t00001"));
    EXPECT_THAT(tenants_->Snapshot("unknown"), FailsWith(ErrorReason::kTenantUnknown));
  }
  EXPECT_EQ(tenants_->loaded(), 1u);
  EXPECT_EQ(store_->LoadsOf("t00001"), 1);
}

TEST_F(LoadedTenantsTest, BeyondTheBoundThoseAskedForLongestAgoAreDropped) {
  for (const std::string& tenant_id : tenant_ids_) {
    EXPECT_OK(tenants_->Snapshot(tenant_id));
    EXPECT_OK(tenants_->Snapshot("t00000"));
    EXPECT_LE(tenants_->loaded(), kBound);
  }
  EXPECT_GE(tenants_->loaded(), kBound - 1);
  EXPECT_EQ(store_->LoadsOf("t00000"), 1) << "it was used all the time";
  EXPECT_OK(tenants_->Snapshot("t00014"));
  EXPECT_EQ(store_->LoadsOf("t00014"), 1) << "it was used last";
  EXPECT_OK(tenants_->Snapshot("t00001"));
  EXPECT_EQ(store_->LoadsOf("t00001"), 2) << "it was used first";
}

TEST_F(LoadedTenantsTest, ADroppedTenantComesBackWithTheEpochOfNow) {
  ASSERT_OK_AND_ASSIGN(const auto before, tenants_->Snapshot("t00000"));
  PromoteElsewhere("t00000");
  ASSERT_OK_AND_ASSIGN(const auto kept, tenants_->Snapshot("t00000"));
  EXPECT_EQ(kept, before) << "the fence of the journal is for this";
  LoadAllBut("t00000");
  ASSERT_OK_AND_ASSIGN(const auto after, tenants_->Snapshot("t00000"));
  EXPECT_EQ(after->primary_root_id, "r3");
  EXPECT_EQ(after->epoch, before->epoch + 1);
  EXPECT_EQ(before->primary_root_id, "r2") << "a request that holds one goes on with it";
}

TEST_F(LoadedTenantsTest, ADroppedTenantsKeyStaysOutOfService) {
  ASSERT_OK_AND_ASSIGN(const RootRecord root, store_->GetRoot("t00000", "r2"));
  ASSERT_OK_AND_ASSIGN(const auto key, keys_->Open(root.key_uri));
  EXPECT_OK(tenants_->Snapshot("t00000"));
  key->TakeOutOfService();
  LoadAllBut("t00000");
  EXPECT_THAT(tenants_->Snapshot("t00000"), FailsWith(ErrorReason::kKeyMismatch));
  EXPECT_OK(tenants_->Snapshot("t00001"));
}

TEST_F(LoadedTenantsTest, AChangeIsToldOf) {
  ASSERT_OK_AND_ASSIGN(const auto before, tenants_->Snapshot("t00000"));
  ASSERT_OK_AND_ASSIGN(const auto of_another, tenants_->Snapshot("t00001"));
  Promote("t00000", *sqlite_);
  EXPECT_EQ(tenants_->IfLoaded("t00000"), nullptr);
  EXPECT_EQ(tenants_->IfLoaded("t00001"), of_another);
  ASSERT_OK_AND_ASSIGN(const auto after, tenants_->Snapshot("t00000"));
  EXPECT_EQ(after->epoch, before->epoch + 1);
  EXPECT_EQ(after->primary_root_id, "r3");
}

TEST_F(LoadedTenantsTest, AChangeThatComesDuringALoadIsNotHiddenByIt) {
  store_->held_up = "t00000";
  auto loading = std::async(std::launch::async, [&] { return tenants_->Snapshot("t00000"); });
  store_->asked.get_future().wait();
  store_->held_up.clear();
  Promote("t00000", *sqlite_);
  store_->go_on.set_value();
  ASSERT_OK_AND_ASSIGN(const auto torn, loading.get());
  ASSERT_OK_AND_ASSIGN(const auto after, tenants_->Snapshot("t00000"));
  EXPECT_EQ(after->epoch, torn->epoch + 1) << "the epoch was read before the roots";
  EXPECT_EQ(after->primary_root_id, "r3");
  EXPECT_EQ(tenants_->IfLoaded("t00000"), after);
}

TEST_F(LoadedTenantsTest, WhoMissedAChangeIsToldByTheFirstRefusal) {
  ASSERT_OK_AND_ASSIGN(const auto before, tenants_->Snapshot("t00000"));
  PromoteElsewhere("t00000");
  ASSERT_OK_AND_ASSIGN(const auto missed, tenants_->Snapshot("t00000"));
  EXPECT_EQ(missed, before) << "nobody told";
  Intent intent = SampleIntent("a request", "t00000");
  intent.epoch = missed->epoch;
  intent.root_id = missed->primary_root_id;
  EXPECT_THAT(Write(intent), FailsWith(ErrorReason::kPrimaryChanged)) << "the store decides";
  // And now what is there is right, at once.
  ASSERT_OK_AND_ASSIGN(const auto after, tenants_->Snapshot("t00000"));
  EXPECT_EQ(after->primary_root_id, "r3");
  intent.epoch = after->epoch;
  intent.root_id = after->primary_root_id;
  EXPECT_OK(Write(intent));
}

TEST_F(LoadedTenantsTest, WhoeverFindsASnapshotUselessLooksAgain) {
  ASSERT_OK_AND_ASSIGN(const auto before, tenants_->Snapshot("t00000"));
  PromoteElsewhere("t00000");
  tenants_->LookAgain("t00000");
  ASSERT_OK_AND_ASSIGN(const auto after, tenants_->Snapshot("t00000"));
  EXPECT_EQ(after->epoch, before->epoch + 1);
}

TEST_F(LoadedTenantsTest, NobodyIsToldOnceItIsGone) {
  tenants_.reset();
  Promote("t00000", *sqlite_);
  tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), std::map<std::string, IssuingConfig>());
  ASSERT_OK_AND_ASSIGN(const auto after, tenants_->Snapshot("t00000"));
  EXPECT_EQ(after->primary_root_id, "r3");
}

TEST_F(LoadedTenantsTest, ATenantWithoutAPrimaryIsLookedAtEachTime) {
  ASSERT_OK(store_->CreateTenant(SampleTenant("empty")));
  ASSERT_OK_AND_ASSIGN(const auto none, tenants_->Snapshot("empty"));
  EXPECT_EQ(none->primary, nullptr);
  EXPECT_EQ(tenants_->IfLoaded("empty"), nullptr);
  EXPECT_OK(tenants_->Snapshot("empty"));
  EXPECT_EQ(store_->LoadsOf("empty"), 2);
}

TEST_F(LoadedTenantsTest, WhatIsBeingLoadedIsNotDropped) {
  store_->held_up = "t00000";
  auto slow = std::async(std::launch::async, [&] { return tenants_->Snapshot("t00000"); });
  store_->asked.get_future().wait();
  store_->held_up.clear();
  LoadAllBut("t00000");
  store_->go_on.set_value();
  EXPECT_OK(slow.get());
  EXPECT_OK(tenants_->Snapshot("t00000"));
  EXPECT_EQ(store_->LoadsOf("t00000"), 1);
}

TEST_F(LoadedTenantsTest, ManyThreadsShareABoundThatIsTooSmallForThem) {
  Tenants tenants(&*store_, keys_.get(), IssuingConfig(), {}, nullptr, 2);
  std::vector<std::future<int>> threads;
  for (std::size_t first = 0; first < 4; ++first) {
    threads.push_back(std::async(std::launch::async, [&, first] {
      int served = 0;
      for (std::size_t i = 0; i < 100; ++i) {
        const std::string& tenant_id = tenant_ids_[(first + i) % tenant_ids_.size()];
        if (i % 7 == 0) sqlite_->changes().Publish(tenant_id);
        const auto snapshot = tenants.Snapshot(tenant_id);
        served += snapshot.ok() && (*snapshot)->tenant_id == tenant_id;
      }
      return served;
    }));
  }
  for (std::future<int>& thread : threads) EXPECT_EQ(thread.get(), 100);
  EXPECT_OK(tenants.Snapshot("t00000"));
  EXPECT_LE(tenants.loaded(), 2u + threads.size());
}

}  // namespace
}  // namespace hourglass::issuance
