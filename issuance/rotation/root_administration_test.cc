// Roots where a part fails in the middle: no orphaned key, no root that cannot sign, no half a
// switch.
#include "issuance/rotation/root_administration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/forwarding_store.h"
#include "tests/support/manual_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

// By one obstacle, which tells `reason`.
MATCHER_P(IsBlockedByItsKey, reason, "is blocked by its key, with " + std::string(reason)) {
  const std::vector<PromotionObstacle> obstacles = ObstaclesOf(arg.status());
  *result_listener << arg.status().ToString();
  return ReasonOf(arg.status()) == ErrorReason::kPromotionBlocked && obstacles.size() == 1 &&
         obstacles[0].kind == PromotionObstacle::Kind::kKeyCannotSign &&
         absl::StartsWith(obstacles[0].message, reason);
}

class DisturbedStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::Status AddRoot(const RootRecord& root) override {
    if (add_root_error.ok() || add_root_answer_is_lost) {
      const absl::Status added = ForwardingStore::AddRoot(root);
      if (!added.ok()) return added;
    }
    return add_root_error;
  }
  absl::Status ChangeRootStates(absl::string_view tenant_id, std::uint64_t expected_revision,
                                absl::Span<const RootStateChange> changes,
                                const RootChangeOrder& order) override {
    if (before_change) std::exchange(before_change, nullptr)();
    return ForwardingStore::ChangeRootStates(tenant_id, expected_revision, changes, order);
  }

  absl::Status add_root_error;
  // The root is added, whatever add_root_error says.
  bool add_root_answer_is_lost = false;
  std::function<void()> before_change;  // called once
};

class RootAdministrationTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(sqlite_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(sqlite_.get());
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(KeyOptions()));
    tenants_.emplace(&*store_, keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
    roots_.emplace(&*store_, keys_.get(), &*tenants_, &entropy_, &clock_);
    TenantRecord tenant;
    tenant.tenant_id = "contoso";
    tenant.display_name = "Contoso";
    tenant.created_at = clock_.Now();
    ASSERT_OK(store_->CreateTenant(tenant));
  }

  hsm::KeyStoreOptions KeyOptions() {
    hsm::KeyStoreOptions options;
    options.software_directory = directory_.File("keys");
    return options;
  }

  RootOrder Order() {
    RootOrder order;
    order.tenant_id = "contoso";
    order.duration = std::chrono::hours(24 * 365);
    order.key_type = hsm::KeyType::kEcP256;
    order.key_reach = KeyReach::kEveryTenant;
    return order;
  }

  absl::StatusOr<RootRecord> Promote(const std::string& root_id) {
    return roots_->Promote(
        {.tenant_id = "contoso", .root_id = root_id, .without_relying_parties = true});
  }

  int KeyFiles() {
    const std::string folder = directory_.File("keys");
    if (!std::filesystem::exists(folder)) return 0;
    int files = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder)) ++files;
    return files;
  }

  ca::RootState StateOf(const std::string& root_id) {
    auto root = store_->GetRoot("contoso", root_id);
    EXPECT_OK(root);
    return root->state;
  }

  TemporaryDirectory directory_;
  ManualClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> sqlite_;
  std::optional<DisturbedStore> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::optional<Tenants> tenants_;
  std::optional<RootAdministration> roots_;
};

TEST_F(RootAdministrationTest, ACreatedRootIsStagedWhateverThereIs) {
  ASSERT_OK_AND_ASSIGN(const RootRecord first, roots_->Create(Order()));
  EXPECT_EQ(first.state, ca::RootState::kStaged);
  ASSERT_OK(Promote(first.root_id));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, roots_->Create(Order()));
  EXPECT_EQ(second.state, ca::RootState::kStaged);
  EXPECT_EQ(StateOf(first.root_id), ca::RootState::kPrimary);
  EXPECT_EQ(KeyFiles(), 2);
}

TEST_F(RootAdministrationTest, AKeyMadeForARootThatFailedIsDestroyed) {
  store_->add_root_error = Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
  EXPECT_THAT(roots_->Create(Order()), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(KeyFiles(), 0);
  store_->add_root_error = absl::OkStatus();
  EXPECT_OK(roots_->Create(Order()));
  EXPECT_EQ(KeyFiles(), 1);
}

TEST_F(RootAdministrationTest, ARootThatIsThereAfterAllKeepsItsKey) {
  store_->add_root_error = Error(ErrorReason::kJournalUnavailable, "", "the answer was lost");
  store_->add_root_answer_is_lost = true;
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.state, ca::RootState::kStaged);
  EXPECT_OK(Promote(root.root_id));
}

TEST_F(RootAdministrationTest, AKeyThatWasThereBeforeIsKept) {
  ASSERT_OK(keys_->Generate("software:mine", hsm::KeyType::kEcP256));
  RootOrder order = Order();
  order.key_uri = "software:mine";
  store_->add_root_error = Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(KeyFiles(), 1);
  store_->add_root_error = absl::OkStatus();
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
  ASSERT_OK_AND_ASSIGN(const auto key, keys_->Open("software:mine"));
  ASSERT_OK_AND_ASSIGN(const auto certificate, ca::RootCertificate::Parse(root.certificate));
  EXPECT_EQ(certificate.public_key(), key->public_key());
}

// As where an older database was restored, or another service uses the same token.
TEST_F(RootAdministrationTest, AKeyThatNobodyNamedIsNotTakenForANewRoot) {
  ASSERT_OK(keys_->Generate("software:hourglass-contoso-r1", hsm::KeyType::kEcP256));
  EXPECT_THAT(roots_->Create(Order()), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  EXPECT_EQ(KeyFiles(), 1);
  // The next root has another number, and so another name for its key.
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.key_uri, "software:hourglass-contoso-r2");
  EXPECT_EQ(KeyFiles(), 2);
}

// Where a process of the service is lost while it makes a root.
enum class Crash { kBeforeTheKey, kBeforeTheRoot, kAfterTheRoot };

constexpr int kCrashed = 9;

class CrashingStore : public ForwardingStore {
 public:
  CrashingStore(Store* store, Crash crash) : ForwardingStore(store), crash_(crash) {}

  absl::Status PlanKey(const PlannedKey& key) override {
    const absl::Status planned = ForwardingStore::PlanKey(key);
    if (crash_ == Crash::kBeforeTheKey) _exit(kCrashed);
    return planned;
  }
  absl::Status AddRoot(const RootRecord& root) override {
    if (crash_ == Crash::kBeforeTheRoot) _exit(kCrashed);
    const absl::Status added = ForwardingStore::AddRoot(root);
    _exit(kCrashed);
    return added;
  }

 private:
  const Crash crash_;
};

// A process of its own is lost in the middle of a creation; then this one opens what it left.
class InterruptedCreationTest : public RootAdministrationTest {
 protected:
  void SetUp() override {}

  void LoseAProcess(Crash crash, const RootOrder& order) {
    const pid_t child = fork();
    if (child == 0) {
      CreateAndCrash(crash, order);
      _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), kCrashed);
    ASSERT_OK_AND_ASSIGN(sqlite_, OpenSqliteStore(directory_.File("store.sqlite")));
    store_.emplace(sqlite_.get());
    ASSERT_OK_AND_ASSIGN(keys_, hsm::KeyStore::Create(KeyOptions()));
    tenants_.emplace(&*store_, keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
    roots_.emplace(&*store_, keys_.get(), &*tenants_, &entropy_, &clock_);
  }

 private:
  void CreateAndCrash(Crash crash, const RootOrder& order) {
    RootAdministrationTest::SetUp();
    CrashingStore crashing(sqlite_.get(), crash);
    RootAdministration roots(&crashing, keys_.get(), &*tenants_, &entropy_, &clock_);
    static_cast<void>(roots.Create(order));
  }
};

TEST_F(InterruptedCreationTest, TheNextRootTakesUpTheKeyThatWasLeft) {
  LoseAProcess(Crash::kBeforeTheRoot, Order());
  ASSERT_EQ(KeyFiles(), 1);
  ASSERT_OK_AND_ASSIGN(const auto left, keys_->Open("software:hourglass-contoso-r1"));
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.root_id, "r1");
  EXPECT_EQ(root.key_uri, "software:hourglass-contoso-r1");
  EXPECT_TRUE(root.key_made_for_root);
  ASSERT_OK_AND_ASSIGN(const auto certificate, ca::RootCertificate::Parse(root.certificate));
  EXPECT_EQ(certificate.public_key(), left->public_key());
  EXPECT_EQ(KeyFiles(), 1);
  // And only once.
  ASSERT_OK_AND_ASSIGN(const RootRecord second, roots_->Create(Order()));
  EXPECT_EQ(second.root_id, "r2");
  EXPECT_EQ(KeyFiles(), 2);
}

TEST_F(InterruptedCreationTest, WithoutAKeyThereIsNothingToTakeUp) {
  LoseAProcess(Crash::kBeforeTheKey, Order());
  ASSERT_EQ(KeyFiles(), 0);
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.root_id, "r2");
  // Somebody else's under that name.
  ASSERT_OK(keys_->Generate("software:hourglass-contoso-r1", hsm::KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const RootRecord next, roots_->Create(Order()));
  EXPECT_EQ(next.root_id, "r3");
}

TEST_F(InterruptedCreationTest, ARootThatWasRecordedKeepsItsKey) {
  LoseAProcess(Crash::kAfterTheRoot, Order());
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.root_id, "r2");
  EXPECT_EQ(KeyFiles(), 2);
  EXPECT_OK(Promote("r1"));
}

TEST_F(InterruptedCreationTest, AKeyOfAnotherTypeWaitsForAnOrderOfItsType) {
  LoseAProcess(Crash::kBeforeTheRoot, Order());
  RootOrder other = Order();
  other.key_type = hsm::KeyType::kEcP384;
  ASSERT_OK_AND_ASSIGN(const RootRecord second, roots_->Create(other));
  EXPECT_EQ(second.root_id, "r2");
  EXPECT_EQ(KeyFiles(), 2);
  ASSERT_OK_AND_ASSIGN(const RootRecord first, roots_->Create(Order()));
  EXPECT_EQ(first.root_id, "r1");
  EXPECT_EQ(KeyFiles(), 2);
}

TEST_F(InterruptedCreationTest, ANamedKeyIsTakenUpUnderItsName) {
  RootOrder order = Order();
  order.key_uri = "software:mine";
  LoseAProcess(Crash::kBeforeTheRoot, order);
  ASSERT_OK_AND_ASSIGN(const RootRecord other, roots_->Create(Order()));
  EXPECT_EQ(other.key_uri, "software:hourglass-contoso-r2");
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
  EXPECT_EQ(root.key_uri, "software:mine");
  EXPECT_TRUE(root.key_made_for_root);
  EXPECT_EQ(KeyFiles(), 2);
}

TEST_F(InterruptedCreationTest, ANamedKeyThatWasNeverMadeIsMadeUnderItsNumber) {
  RootOrder order = Order();
  order.key_uri = "software:mine";
  LoseAProcess(Crash::kBeforeTheKey, order);
  ASSERT_EQ(KeyFiles(), 0);
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
  EXPECT_EQ(root.root_id, "r1");
  EXPECT_TRUE(root.key_made_for_root);
  EXPECT_THAT(*store_->ListPlannedKeys("contoso"), testing::IsEmpty());
}

TEST_F(InterruptedCreationTest, ANamedKeyThatIsGoneAgainIsMadeAnew) {
  RootOrder order = Order();
  order.key_uri = "software:mine";
  LoseAProcess(Crash::kBeforeTheRoot, order);
  ASSERT_OK(keys_->Destroy("software:mine"));
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
  EXPECT_EQ(root.root_id, "r2");
  EXPECT_TRUE(root.key_made_for_root);
  EXPECT_THAT(*store_->ListPlannedKeys("contoso"), testing::IsEmpty());
}

TEST_F(InterruptedCreationTest, AKeyThatWasTakenUpGoesWithItsFailedRoot) {
  LoseAProcess(Crash::kBeforeTheRoot, Order());
  store_->add_root_error = Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
  EXPECT_THAT(roots_->Create(Order()), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(KeyFiles(), 0) << "the key that was taken up is destroyed like one made here";
  store_->add_root_error = absl::OkStatus();
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.root_id, "r2");
}

// What answers to a name that says nothing of the key may be somebody else's.
TEST_F(RootAdministrationTest, OnlyAKeyThatIsKnownIsTakenBackByTheNextCreation) {
  ASSERT_OK(keys_->Generate("software:hourglass-contoso-r1", hsm::KeyType::kEcP256));
  ASSERT_OK(keys_->Generate("software:hourglass-contoso-r2", hsm::KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const auto known, keys_->Open("software:hourglass-contoso-r1"));
  for (const std::string& public_key : {known->public_key(), std::string()}) {
    ASSERT_OK_AND_ASSIGN(const int generation, store_->ReserveGeneration("contoso"));
    const std::string uri = absl::StrCat("software:hourglass-contoso-", RootIdOf(generation));
    ASSERT_OK(store_->PlanKey({"contoso", generation, uri, public_key}));
    ASSERT_OK(store_->CondemnPlannedKey(uri, public_key));
  }
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.root_id, "r3");
  EXPECT_THAT(keys_->Open("software:hourglass-contoso-r1"), FailsWith(ErrorReason::kKeyNotFound));
  EXPECT_OK(keys_->Open("software:hourglass-contoso-r2"));
  ASSERT_OK_AND_ASSIGN(const auto planned, store_->ListPlannedKeys("contoso"));
  ASSERT_EQ(planned.size(), 1u);
  EXPECT_EQ(planned[0].key_uri, "software:hourglass-contoso-r2");
}

// As where an older database was restored, or another service uses the same token: asked again and
// again, a key that this database did not plan is not taken.
TEST_F(RootAdministrationTest, AKeyThatWasNotPlannedHereIsNeverTakenUp) {
  ASSERT_OK(keys_->Generate("software:hourglass-contoso-r1", hsm::KeyType::kEcP256));
  EXPECT_THAT(roots_->Create(Order()), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  for (const std::string id : {"r2", "r3"}) {
    ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
    EXPECT_EQ(root.root_id, id);
  }
  EXPECT_EQ(KeyFiles(), 3);
}

TEST_F(RootAdministrationTest, AKeyOfAnotherTypeIsUnfit) {
  ASSERT_OK(keys_->Generate("software:mine", hsm::KeyType::kEcP384));
  RootOrder order = Order();
  order.key_uri = "software:mine";
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyUnfit, "key_uri"));
  EXPECT_EQ(KeyFiles(), 1);
}

TEST_F(RootAdministrationTest, AnImpossibleDurationCostsNoKey) {
  RootOrder order = Order();
  order.duration = std::chrono::seconds(1);
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kFieldInvalid, "duration"));
  EXPECT_EQ(KeyFiles(), 0);
}

TEST_F(RootAdministrationTest, ARootWhoseKeyIsGoneIsNotPromoted) {
  ASSERT_OK_AND_ASSIGN(const RootRecord first, roots_->Create(Order()));
  ASSERT_OK(Promote(first.root_id));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, roots_->Create(Order()));
  ASSERT_OK(keys_->Destroy(second.key_uri));
  EXPECT_THAT(Promote(second.root_id), IsBlockedByItsKey("KEY_NOT_FOUND"));
  EXPECT_EQ(StateOf(first.root_id), ca::RootState::kPrimary);
  EXPECT_EQ(StateOf(second.root_id), ca::RootState::kStaged);
}

TEST_F(RootAdministrationTest, ARootWhoseKeyWasReplacedIsNotPromoted) {
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  ASSERT_OK(keys_->Destroy(root.key_uri));
  ASSERT_OK(keys_->Generate(root.key_uri, hsm::KeyType::kEcP256));
  EXPECT_THAT(Promote(root.root_id), IsBlockedByItsKey("KEY_MISMATCH"));
  EXPECT_EQ(StateOf(root.root_id), ca::RootState::kStaged);
}

TEST_F(RootAdministrationTest, AChangeThatAnotherProcessOvertookIsRefused) {
  ASSERT_OK_AND_ASSIGN(const RootRecord first, roots_->Create(Order()));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, roots_->Create(Order()));
  Tenants other_tenants(&*store_, keys_.get(), IssuingConfig(), {});
  RootAdministration other(&*store_, keys_.get(), &other_tenants, &entropy_, &clock_);
  store_->before_change = [&] {
    ASSERT_OK(other.Promote(
        {.tenant_id = "contoso", .root_id = second.root_id, .without_relying_parties = true}));
  };
  EXPECT_THAT(Promote(first.root_id), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_EQ(StateOf(first.root_id), ca::RootState::kStaged);
  EXPECT_EQ(StateOf(second.root_id), ca::RootState::kPrimary);
}

TEST_F(RootAdministrationTest, AKeyThatWasThereBeforeIsNotDestroyed) {
  ASSERT_OK(keys_->Generate("software:mine", hsm::KeyType::kEcP256));
  RootOrder order = Order();
  order.key_uri = "software:mine";
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
  EXPECT_THAT(roots_->Discard("contoso", root.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kFieldInvalid, "destroy_key"));
  EXPECT_EQ(StateOf(root.root_id), ca::RootState::kStaged);
  EXPECT_OK(keys_->Open("software:mine"));
  EXPECT_OK(roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
}

TEST_F(RootAdministrationTest, AKeyBelongsToOneRootForEver) {
  RootOrder order = Order();
  order.key_uri = "software:mine";
  ASSERT_OK_AND_ASSIGN(const RootRecord first, roots_->Create(order));
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  ASSERT_OK(roots_->Discard("contoso", first.root_id, KeyFate::kKeep));
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  EXPECT_EQ(KeyFiles(), 1);
}

// Identity is the public key: what answers to a root's URI may be another key.
TEST_F(RootAdministrationTest, AKeyMadeAnewUnderTheNameOfARootThatEndedIsLeftAlone) {
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  ASSERT_OK(roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
  ASSERT_OK(keys_->Destroy(root.key_uri));
  EXPECT_THAT(roots_->Discard("contoso", root.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyNotFound, "destroy_key"));
  ASSERT_OK(keys_->Generate(root.key_uri, hsm::KeyType::kEcP256));
  EXPECT_THAT(roots_->Discard("contoso", root.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyMismatch, "destroy_key"));
  EXPECT_OK(keys_->Open(root.key_uri));
}

TEST_F(RootAdministrationTest, AKeyIsDestroyedOnce) {
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_FALSE(root.key_destroyed_at.has_value());
  ASSERT_OK_AND_ASSIGN(const RootRecord kept,
                       roots_->Discard("contoso", root.root_id, KeyFate::kKeep));
  EXPECT_FALSE(kept.key_destroyed_at.has_value());
  clock_.Advance(std::chrono::hours(1));
  ASSERT_OK_AND_ASSIGN(const RootRecord gone,
                       roots_->Discard("contoso", root.root_id, KeyFate::kDestroy));
  EXPECT_EQ(gone.key_destroyed_at, clock_.Now());
  ASSERT_OK(keys_->Generate(root.key_uri, hsm::KeyType::kEcP256));
  EXPECT_THAT(roots_->Discard("contoso", root.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyDestroyed, "destroy_key"));
  EXPECT_OK(keys_->Open(root.key_uri));
}

// A copy of the key, say, or a database that was put together from two.
TEST_F(RootAdministrationTest, AKeyThatALivingRootHasIsNotDestroyedByAnother) {
  ASSERT_OK_AND_ASSIGN(const RootRecord ended, roots_->Create(Order()));
  ASSERT_OK(roots_->Discard("contoso", ended.root_id, KeyFate::kKeep));
  RootRecord living = ended;
  living.tenant_id = "fabrikam";
  living.key_uri = "software:elsewhere";
  living.key_made_for_root = false;
  TenantRecord fabrikam;
  fabrikam.tenant_id = "fabrikam";
  fabrikam.display_name = "Fabrikam";
  ASSERT_OK(store_->CreateTenant(fabrikam));
  ASSERT_OK(store_->AddRoot(living));
  EXPECT_THAT(roots_->Discard("contoso", ended.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kKeyInUse, "destroy_key"));
  EXPECT_OK(keys_->Open(ended.key_uri));
  ASSERT_OK(store_->ChangeRootStates(
      "fabrikam", 1, {{living.root_id, ca::RootState::kStaged, ca::RootState::kDiscarded}},
      {.now = clock_.Now()}));
  EXPECT_OK(roots_->Discard("contoso", ended.root_id, KeyFate::kDestroy));
}

TEST_F(InterruptedCreationTest, AKeyOfAnotherUnderThePlannedNameIsNotOurs) {
  RootOrder order = Order();
  order.key_uri = "software:mine";
  LoseAProcess(Crash::kBeforeTheKey, order);
  ASSERT_OK(keys_->Generate("software:mine", hsm::KeyType::kEcP256));
  store_->add_root_error = Error(ErrorReason::kJournalUnavailable, "", "the disk is full");
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_EQ(KeyFiles(), 1) << "it is not taken back with the root that failed";
  store_->add_root_error = absl::OkStatus();
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(order));
  EXPECT_FALSE(root.key_made_for_root);
  EXPECT_THAT(roots_->Discard("contoso", root.root_id, KeyFate::kDestroy),
              FailsWith(ErrorReason::kFieldInvalid, "destroy_key"));
}

TEST_F(InterruptedCreationTest, AKeyThatTookThePlaceOfOursIsNotOurs) {
  LoseAProcess(Crash::kBeforeTheRoot, Order());
  ASSERT_OK(keys_->Destroy("software:hourglass-contoso-r1"));
  ASSERT_OK(keys_->Generate("software:hourglass-contoso-r1", hsm::KeyType::kEcP256));
  ASSERT_OK_AND_ASSIGN(const RootRecord root, roots_->Create(Order()));
  EXPECT_EQ(root.root_id, "r2");
  EXPECT_EQ(KeyFiles(), 2);
}

TEST_F(RootAdministrationTest, ATenantsAdministratorNamesItsOwnKeysOnly) {
  ASSERT_OK(keys_->Generate("software:prepared", hsm::KeyType::kEcP256));
  ASSERT_OK(keys_->Generate("software:hourglass-contoso-b-r2", hsm::KeyType::kEcP256));
  RootOrder order = Order();
  order.key_reach = KeyReach::kOwnTenant;
  // There, not there, of another type, another tenant's, no place of the configuration: one answer.
  for (const hsm::KeyType type : {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384}) {
    for (const char* uri :
         {"software:prepared", "software:nothing", "software:hourglass-contoso-b-r2",
          "software:hourglass-contoso-b-r3", "software:hourglass-contoso", "tpm:sealed=k",
          "software:hourglass-contoso-r01", "pkcs11:token=elsewhere;object=k"}) {
      order.key_type = type;
      order.key_uri = uri;
      EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"))
          << uri;
    }
  }
  EXPECT_EQ(KeyFiles(), 2);
  order.key_type = hsm::KeyType::kEcP256;
  order.key_uri = "software:hourglass-contoso-r7";
  EXPECT_OK(roots_->Create(order));
  order.key_uri = "";
  EXPECT_OK(roots_->Create(order));
  EXPECT_EQ(KeyFiles(), 4);
}

TEST_F(RootAdministrationTest, AKeyNamedForATenantIsNoOthers) {
  RootOrder order = Order();
  order.key_uri = "software:hourglass-fabrikam-r1";
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyNotPermitted, "key_uri"))
      << "whoever asks";
  order.key_uri = "software:hourglass-contoso-r1";
  EXPECT_OK(roots_->Create(order));
}

TEST_F(RootAdministrationTest, LivingRootsAreBounded) {
  std::map<std::string, IssuingConfig> overrides;
  overrides["contoso"].quota.roots = 2;
  tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), overrides);
  roots_.emplace(&*store_, keys_.get(), &*tenants_, &entropy_, &clock_);
  ASSERT_OK(roots_->Create(Order()));
  ASSERT_OK_AND_ASSIGN(const RootRecord second, roots_->Create(Order()));
  EXPECT_THAT(roots_->Create(Order()), FailsWith(ErrorReason::kQuotaExceeded, "tenant_id"));
  EXPECT_EQ(KeyFiles(), 2);
  ASSERT_OK(roots_->Discard("contoso", second.root_id, KeyFate::kDestroy));
  EXPECT_OK(roots_->Create(Order()));
}

TEST_F(RootAdministrationTest, KeysOfRootsThatEndedCountUntilTheyAreDestroyed) {
  std::map<std::string, IssuingConfig> overrides;
  overrides["contoso"].quota.keys = 2;
  tenants_.emplace(&*store_, keys_.get(), IssuingConfig(), overrides);
  roots_.emplace(&*store_, keys_.get(), &*tenants_, &entropy_, &clock_);
  RootRecord last;
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(last, roots_->Create(Order()));
    ASSERT_OK(roots_->Discard("contoso", last.root_id, KeyFate::kKeep));
  }
  EXPECT_THAT(roots_->Create(Order()), FailsWith(ErrorReason::kQuotaExceeded, "tenant_id"));
  RootOrder named = Order();
  named.key_uri = "software:mine";
  EXPECT_THAT(roots_->Create(named), FailsWith(ErrorReason::kQuotaExceeded, "tenant_id"));
  EXPECT_EQ(KeyFiles(), 2);
  ASSERT_OK(roots_->Discard("contoso", last.root_id, KeyFate::kDestroy));
  EXPECT_OK(roots_->Create(named));
}

// One key can have several URIs: with its id and without, or, as here, as a copy of its file.
TEST_F(RootAdministrationTest, AKeyUnderAnotherUriIsTheSameKey) {
  RootOrder order = Order();
  order.key_uri = "software:mine";
  ASSERT_OK(roots_->Create(order));
  std::filesystem::copy_file(directory_.File("keys/mine.pem"), directory_.File("keys/copy.pem"));
  order.key_uri = "software:copy";
  EXPECT_THAT(roots_->Create(order), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  EXPECT_EQ(KeyFiles(), 2);
  std::filesystem::remove(directory_.File("keys/copy.pem"));
  EXPECT_OK(roots_->Create(order));
}

}  // namespace
}  // namespace hourglass::issuance
