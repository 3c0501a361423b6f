// Roots that are made at the same time: by tenants whose keys take long to make, and by processes
// on one store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/testing/slow_stores.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// What a process of the service has; several share a database and a place of keys.
struct Replica {
  Replica(const TemporaryDirectory& directory, Entropy* entropy, const Clock* clock)
      : sqlite(OpenSqliteStore(directory.File("store.sqlite")).value()),
        store(sqlite.get()),
        keys(OpenKeys(directory)),
        tenants(&store, &keys, IssuingConfig(), std::map<std::string, IssuingConfig>()),
        roots(&store, &keys, &tenants, entropy, clock) {}

  static std::unique_ptr<hsm::KeyStore> OpenKeys(const TemporaryDirectory& directory) {
    hsm::KeyStoreOptions options;
    options.software_directory = directory.File("keys");
    return hsm::KeyStore::Create(options).value();
  }

  std::unique_ptr<Store> sqlite;
  SlowStore store;
  SlowKeyStore keys;
  Tenants tenants;
  RootAdministration roots;
};

using Outcome = std::future<absl::StatusOr<RootRecord>>;

class RootCreationTest : public testing::Test {
 protected:
  RootCreationTest()
      : one_(directory_, &entropy_, &clock_), other_(directory_, &entropy_, &clock_) {}

  void SetUp() override {
    for (const std::string tenant_id : {"contoso", "fabrikam"}) {
      TenantRecord tenant;
      tenant.tenant_id = tenant_id;
      tenant.display_name = tenant_id;
      tenant.created_at = clock_.Now();
      ASSERT_OK(one_.store.CreateTenant(tenant));
    }
  }

  static RootOrder Order(std::string tenant_id = "contoso", std::string request_id = "") {
    RootOrder order;
    order.tenant_id = std::move(tenant_id);
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    order.key_reach = KeyReach::kEveryTenant;
    order.request_id = std::move(request_id);
    return order;
  }

  static Outcome Begin(Replica& replica, const RootOrder& order) {
    return std::async(std::launch::async,
                      [&replica, order] { return replica.roots.Create(order); });
  }

  // Whether each key that there is is of a root, each root has its key, and none shares it.
  void ExpectRootsAndKeysToMatch(int count) {
    std::set<std::string> files;
    const std::string folder = directory_.File("keys");
    if (std::filesystem::exists(folder)) {
      for (const auto& file : std::filesystem::directory_iterator(folder)) {
        files.insert(file.path().stem().string());
      }
    }
    std::set<std::string> of_roots;
    for (const char* tenant_id : {"contoso", "fabrikam"}) {
      ASSERT_OK_AND_ASSIGN(const std::vector<RootRecord> roots, other_.store.ListRoots(tenant_id));
      for (const RootRecord& root : roots) {
        EXPECT_TRUE(of_roots.insert(root.key_uri.substr(std::string("software:").size())).second);
        // Opens the key, and signs for the certificate with it.
        EXPECT_OK(other_.tenants.OpenAuthority(root));
      }
      ASSERT_OK_AND_ASSIGN(const auto planned, other_.store.ListPlannedKeys(tenant_id));
      EXPECT_THAT(planned, testing::IsEmpty());
    }
    EXPECT_EQ(files, of_roots);
    EXPECT_EQ(of_roots.size(), static_cast<std::size_t>(count));
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  Replica one_;
  Replica other_;
};

TEST_F(RootCreationTest, AKeyThatTakesLongHoldsUpNoOtherTenant) {
  Gate gate;
  one_.keys.before_making = &gate;
  Outcome slow = Begin(one_, Order());
  ASSERT_TRUE(gate.IsReached());
  Outcome quick = Begin(one_, Order("fabrikam"));
  const bool waited_in_vain = quick.wait_for(kNever) != std::future_status::ready;
  gate.Open();
  EXPECT_FALSE(waited_in_vain);
  EXPECT_OK(quick.get());
  EXPECT_OK(slow.get());
  ExpectRootsAndKeysToMatch(2);
}

TEST_F(RootCreationTest, ATenantMovesItsRootsWhileAKeyIsMade) {
  ASSERT_OK_AND_ASSIGN(const RootRecord first, one_.roots.Create(Order()));
  Gate gate;
  one_.keys.before_making = &gate;
  Outcome slow = Begin(one_, Order());
  ASSERT_TRUE(gate.IsReached());
  auto promoted = std::async(std::launch::async, [&] {
    return one_.roots.Promote(
        {.tenant_id = "contoso", .root_id = first.root_id, .without_relying_parties = true});
  });
  const bool waited_in_vain = promoted.wait_for(kNever) != std::future_status::ready;
  gate.Open();
  EXPECT_FALSE(waited_in_vain);
  EXPECT_OK(promoted.get());
  ASSERT_OK_AND_ASSIGN(const RootRecord second, slow.get());
  EXPECT_EQ(second.state, ca::RootState::kStaged);
  ExpectRootsAndKeysToMatch(2);
}

TEST_F(RootCreationTest, ATenantMovesItsRootsWhileAKeyIsDestroyed) {
  ASSERT_OK_AND_ASSIGN(const RootRecord first, one_.roots.Create(Order()));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, one_.roots.Create(Order()));
  Gate gate;
  one_.keys.before_destroying = &gate;
  auto discarded = std::async(std::launch::async, [&] {
    return one_.roots.Discard("contoso", first.root_id, KeyFate::kDestroy);
  });
  ASSERT_TRUE(gate.IsReached());
  auto promoted = std::async(std::launch::async, [&] {
    return one_.roots.Promote(
        {.tenant_id = "contoso", .root_id = second.root_id, .without_relying_parties = true});
  });
  const bool waited_in_vain = promoted.wait_for(kNever) != std::future_status::ready;
  EXPECT_THAT(one_.roots.Discard("contoso", first.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyInUse, "destroy_key"))
      << "is being destroyed";
  gate.Open();
  EXPECT_FALSE(waited_in_vain);
  EXPECT_OK(promoted.get());
  ASSERT_OK_AND_ASSIGN(const RootRecord gone, discarded.get());
  EXPECT_EQ(gone.state, ca::RootState::kDiscarded);
  EXPECT_TRUE(gone.key_destroyed_at.has_value());
}

TEST_F(RootCreationTest, TwoOfOneTenantAtOnceAreBothMade) {
  Gate gate;
  one_.keys.after_making = &gate;
  Outcome first = Begin(one_, Order());
  ASSERT_TRUE(gate.IsReached());
  Outcome second = Begin(one_, Order());
  gate.Open();
  ASSERT_OK_AND_ASSIGN(const RootRecord one, first.get());
  ASSERT_OK_AND_ASSIGN(const RootRecord two, second.get());
  EXPECT_EQ(one.root_id, "r1");
  EXPECT_EQ(two.root_id, "r2");
  ExpectRootsAndKeysToMatch(2);
}

TEST_F(RootCreationTest, ANamedKeyIsTakenForOneOfTwoTenants) {
  Gate gate;
  one_.keys.after_making = &gate;
  RootOrder order = Order();
  order.key_uri = "software:shared";
  Outcome first = Begin(one_, order);
  ASSERT_TRUE(gate.IsReached());
  order.tenant_id = "fabrikam";
  EXPECT_THAT(one_.roots.Create(order), FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  gate.Open();
  EXPECT_OK(first.get());
  EXPECT_THAT(one_.roots.Create(order), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  ExpectRootsAndKeysToMatch(1);
}

TEST_F(RootCreationTest, TwoProcessesBothMakeTheirRootWhileAKeyIsMade) {
  Gate before;
  one_.keys.before_making = &before;
  Outcome first = Begin(one_, Order());
  ASSERT_TRUE(before.IsReached());
  EXPECT_OK(other_.roots.Create(Order()));
  before.Open();
  EXPECT_OK(first.get());
  Gate after;
  one_.keys.after_making = &after;
  Outcome third = Begin(one_, Order());
  ASSERT_TRUE(after.IsReached());
  EXPECT_OK(other_.roots.Create(Order()));
  after.Open();
  EXPECT_OK(third.get());
  ExpectRootsAndKeysToMatch(4);
}

// The other process found no key under the plan, and comes to forget it when the key is there.
TEST_F(RootCreationTest, APlanIsNotForgottenOfAKeyThatWasMadeMeanwhile) {
  Gate before;
  one_.keys.before_making = &before;
  Outcome first = Begin(one_, Order());
  ASSERT_TRUE(before.IsReached());
  Gate looked;
  other_.keys.after_opening = &looked;
  Outcome second = Begin(other_, Order());
  ASSERT_TRUE(looked.IsReached());
  Gate made;
  one_.store.before_adding = &made;
  before.Open();
  ASSERT_TRUE(made.IsReached());
  looked.Open();
  EXPECT_OK(second.get());
  made.Open();
  EXPECT_OK(first.get());
  ExpectRootsAndKeysToMatch(2);
}

TEST_F(RootCreationTest, AKeyThatAnotherProcessTakesUpIsOneRoots) {
  Gate gate;
  one_.store.before_adding = &gate;
  Outcome first = Begin(one_, Order());
  ASSERT_TRUE(gate.IsReached());
  ASSERT_OK_AND_ASSIGN(const RootRecord taken_up, other_.roots.Create(Order()));
  EXPECT_EQ(taken_up.root_id, "r1");
  gate.Open();
  EXPECT_THAT(first.get(), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  ExpectRootsAndKeysToMatch(1);
}

TEST_F(RootCreationTest, AKeyThatAnotherProcessTakesBackIsNoRoots) {
  Gate making;
  one_.store.before_adding = &making;
  one_.store.FailToAdd(Error(ErrorReason::kJournalUnavailable, "", "the disk is full"));
  Outcome first = Begin(one_, Order());
  ASSERT_TRUE(making.IsReached());
  Gate taking_up;
  other_.store.before_adding = &taking_up;
  Outcome second = Begin(other_, Order());
  ASSERT_TRUE(taking_up.IsReached());
  making.Open();
  EXPECT_THAT(first.get(), FailsWith(ErrorReason::kJournalUnavailable));
  taking_up.Open();
  EXPECT_THAT(second.get(), FailsWith(ErrorReason::kKeyDestroyed, "key_uri"));
  ExpectRootsAndKeysToMatch(0);
  EXPECT_OK(other_.roots.Create(Order()));
  ExpectRootsAndKeysToMatch(1);
}

TEST_F(RootCreationTest, ATakingBackThatWasInterruptedIsFinished) {
  Gate gate;
  one_.store.before_adding = &gate;
  Outcome first = Begin(one_, Order());
  ASSERT_TRUE(gate.IsReached());
  ASSERT_OK_AND_ASSIGN(const auto planned, other_.store.ListPlannedKeys("contoso"));
  ASSERT_EQ(planned.size(), 1u);
  ASSERT_OK(other_.store.CondemnPlannedKey(planned[0].key_uri, planned[0].public_key));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, other_.roots.Create(Order()));
  EXPECT_EQ(second.root_id, "r2");
  gate.Open();
  EXPECT_THAT(first.get().status().message(), testing::HasSubstr("taken away"));
  ExpectRootsAndKeysToMatch(1);
}

TEST_F(RootCreationTest, OneRequestMakesOneRootInTwoProcesses) {
  Gate gate;
  one_.keys.before_making = &gate;
  Outcome first = Begin(one_, Order("contoso", "the request"));
  ASSERT_TRUE(gate.IsReached());
  ASSERT_OK_AND_ASSIGN(const RootRecord made, other_.roots.Create(Order("contoso", "the request")));
  gate.Open();
  ASSERT_OK_AND_ASSIGN(const RootRecord same, first.get());
  EXPECT_EQ(same.root_id, made.root_id);
  EXPECT_EQ(same.certificate, made.certificate);
  ExpectRootsAndKeysToMatch(1);
}

}  // namespace
}  // namespace hourglass::issuance
