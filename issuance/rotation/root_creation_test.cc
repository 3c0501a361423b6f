// Roots that are made at the same time: by tenants whose keys take long to make, and by processes
// on one store.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/testing/slow_stores.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// What a process of the service has; several share a database and a place of keys.
struct Replica {
  Replica(const TemporaryDirectory& directory, const hsm::KeyStoreOptions& places, Entropy* entropy,
          const Clock* clock)
      : sqlite(OpenSqliteStore(directory.File("store.sqlite")).value()),
        store(sqlite.get()),
        keys(hsm::KeyStore::Create(places).value()),
        tenants(&store, &keys, IssuingConfig(), std::map<std::string, IssuingConfig>()),
        roots(&store, &keys, &tenants, entropy, clock) {}

  std::unique_ptr<Store> sqlite;
  SlowStore store;
  SlowKeyStore keys;
  Tenants tenants;
  RootAdministration roots;
};

using Outcome = std::future<absl::StatusOr<RootRecord>>;

class RootCreationTest : public testing::Test {
 protected:
  // With keys in the first of `tokens`, or in files where there is none.
  explicit RootCreationTest(const std::vector<std::string>& tokens = {})
      : one_(directory_, Places(tokens), &entropy_, &clock_),
        other_(directory_, Places(tokens), &entropy_, &clock_) {}

  hsm::KeyStoreOptions Places(const std::vector<std::string>& tokens) const {
    hsm::KeyStoreOptions places;
    places.tokens = tokens;
    if (tokens.empty()) places.software_directory = directory_.File("keys");
    return places;
  }

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
    std::set<std::string> there;
    for (const hsm::KeyStore::Place& place : other_.keys.List()) {
      ASSERT_OK(place.status);
      for (const hsm::KeyStore::StoredKey& key : place.keys) there.insert(key.uri);
    }
    std::set<std::string> of_roots;
    for (const char* tenant_id : {"contoso", "fabrikam"}) {
      ASSERT_OK_AND_ASSIGN(const std::vector<RootRecord> roots, other_.store.ListRoots(tenant_id));
      for (const RootRecord& root : roots) {
        EXPECT_TRUE(of_roots.insert(root.key_uri).second);
        // Opens the key, and signs for the certificate with it.
        EXPECT_OK(other_.tenants.OpenAuthority(root));
      }
      ASSERT_OK_AND_ASSIGN(const auto planned, other_.store.ListPlannedKeys(tenant_id));
      EXPECT_THAT(planned, testing::IsEmpty());
    }
    EXPECT_EQ(there, of_roots);
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
  ASSERT_OK_AND_ASSIGN(const RootRecord made_anew, first.get());
  EXPECT_EQ(made_anew.root_id, "r2");
  ExpectRootsAndKeysToMatch(2);
}

TEST_F(RootCreationTest, AKeyIsNotMadeForEverWhereOthersTakeItUp) {
  Gate gates[3];
  one_.store.before_adding = &gates[0];
  Outcome first = Begin(one_, Order());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(gates[i].IsReached());
    EXPECT_OK(other_.roots.Create(Order()));
    if (i < 2) one_.store.before_adding = &gates[i + 1];
    gates[i].Open();
  }
  EXPECT_THAT(first.get(), FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  ExpectRootsAndKeysToMatch(3);
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
  ExpectRootsAndKeysToMatch(0);
  taking_up.Open();
  ASSERT_OK_AND_ASSIGN(const RootRecord root, second.get());
  EXPECT_EQ(root.root_id, "r2");
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
  ASSERT_OK_AND_ASSIGN(const RootRecord third, first.get());
  EXPECT_EQ(third.root_id, "r3") << "of a key of its own";
  ExpectRootsAndKeysToMatch(2);
}

// Where a process stands while another one makes the root of the same request.
enum class Held { kBeforeItsKey, kAfterItsKey, kBeforeItsRoot };
enum class Keys { kFiles, kToken };

class OneRequestTest : public RootCreationTest,
                       public testing::WithParamInterface<std::tuple<Keys, Held>> {
 protected:
  OneRequestTest() : RootCreationTest(Tokens()) {}

  // That of all tests: a process loads the module once.
  static const SofthsmToken& Token() {
    static const SofthsmToken token;
    return token;
  }
  void TearDown() override {
    for (const hsm::KeyStore::Place& place : other_.keys.List()) {
      for (const auto& key : place.keys) EXPECT_OK(other_.keys.Destroy(key.uri));
    }
  }

  static bool InAToken() { return std::get<Keys>(GetParam()) == Keys::kToken; }
  static std::vector<std::string> Tokens() {
    if (!InAToken()) return {};
    return {Token().Uri()};
  }

  static RootOrder OrderOfNamedKey(std::string request_id) {
    RootOrder order = Order("contoso", std::move(request_id));
    order.key_uri = InAToken() ? "pkcs11:token=hourglass;object=mine" : "software:mine";
    return order;
  }

  void Hold(Replica& replica, Gate& gate) {
    switch (std::get<Held>(GetParam())) {
      case Held::kBeforeItsKey:
        replica.keys.before_making = &gate;
        return;
      case Held::kAfterItsKey:
        replica.keys.after_making = &gate;
        return;
      case Held::kBeforeItsRoot:
        replica.store.before_adding = &gate;
        return;
    }
  }

  void ExpectOneRootOf(const RootOrder& order) {
    Gate gate;
    Hold(one_, gate);
    bool is_new = true;
    Outcome first =
        std::async(std::launch::async, [&] { return one_.roots.Create(order, &is_new); });
    ASSERT_TRUE(gate.IsReached());
    const absl::StatusOr<RootRecord> made = other_.roots.Create(order);
    gate.Open();
    const absl::StatusOr<RootRecord> same = first.get();
    ASSERT_OK(made);
    ASSERT_OK(same);
    EXPECT_EQ(same->root_id, made->root_id);
    EXPECT_EQ(same->certificate, made->certificate);
    EXPECT_FALSE(is_new);
    ExpectRootsAndKeysToMatch(1);
  }
};

TEST_P(OneRequestTest, MakesOneRootInTwoProcesses) {
  ExpectOneRootOf(Order("contoso", "the request"));
}

TEST_P(OneRequestTest, MakesOneRootOfANamedKeyInTwoProcesses) {
  ExpectOneRootOf(OrderOfNamedKey("the request"));
}

// With a key that is there where the process is held.
class NamedKeyTest : public OneRequestTest {};

// Both have planned the key, and find it missing.
TEST_P(NamedKeyTest, ThatAnotherProcessIsMakingIsInUse) {
  const RootOrder order = OrderOfNamedKey("the request");
  Gate first_plans, second_plans, first_made;
  one_.keys.before_making = &first_plans;
  Outcome first = Begin(one_, order);
  ASSERT_TRUE(first_plans.IsReached());
  other_.keys.before_making = &second_plans;
  Outcome second = Begin(other_, order);
  ASSERT_TRUE(second_plans.IsReached());
  Hold(one_, first_made);
  first_plans.Open();
  ASSERT_TRUE(first_made.IsReached());
  second_plans.Open();
  const absl::StatusOr<RootRecord> refused = second.get();
  first_made.Open();
  const absl::StatusOr<RootRecord> made = first.get();
  EXPECT_THAT(refused, FailsWith(ErrorReason::kKeyInUse, "key_uri"));
  ASSERT_OK(made);
  EXPECT_TRUE(made->key_made_for_root);
  ASSERT_OK_AND_ASSIGN(const RootRecord again, other_.roots.Create(order));
  EXPECT_EQ(again.certificate, made->certificate);
  ExpectRootsAndKeysToMatch(1);
}

std::string NameOf(const testing::TestParamInfo<std::tuple<Keys, Held>>& info) {
  constexpr const char* kHeld[] = {"BeforeItsKey", "AfterItsKey", "BeforeItsRoot"};
  const char* const keys = std::get<Keys>(info.param) == Keys::kToken ? "Token" : "Files";
  return std::string(keys) + kHeld[static_cast<int>(std::get<Held>(info.param))];
}

INSTANTIATE_TEST_SUITE_P(EachPlace, OneRequestTest,
                         testing::Combine(testing::Values(Keys::kFiles, Keys::kToken),
                                          testing::Values(Held::kBeforeItsKey, Held::kAfterItsKey,
                                                          Held::kBeforeItsRoot)),
                         &NameOf);
INSTANTIATE_TEST_SUITE_P(EachPlace, NamedKeyTest,
                         testing::Combine(testing::Values(Keys::kFiles, Keys::kToken),
                                          testing::Values(Held::kAfterItsKey,
                                                          Held::kBeforeItsRoot)),
                         &NameOf);

}  // namespace
}  // namespace hourglass::issuance
