// Every verb on a root of every kind, legal and illegal, from one table.
//
// A row is a root, a column is a verb, a cell is what the verb does to the root:
//
//   kSigns   it is PRIMARY, and the primary of before is RETIRING
//   kEnds    it is RETIRED or DISCARDED, as the verb says; its key stays, and so does the primary
//   kErases  the same, and its key is destroyed
//   kNever   refused with ROOT_MOVE_ILLEGAL at `root_id`
//   kWaits   refused with PROMOTION_BLOCKED at `root_id`
//   kGone    refused with KEY_DESTROYED at `destroy_key`
//   kNone    refused with ROOT_UNKNOWN at `root_id`
//
// Where it is refused, nothing has changed: no root, revision, epoch, administrative action or key
// of any tenant. Where it is not, nothing else has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/store/key_store.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/timekeeping/testing/doubted_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

namespace fs = std::filesystem;

// The roots r1, r2 and so on, in this order.
enum class Root {
  kRetired,
  kKeyless,         // RETIRED, and its key was destroyed
  kRetiringBefore,  // and the next became so after it
  kRetiring,        // was the primary before the present one
  kPrimary,
  kDiscarded,
  kExpired,         // STAGED
  kStaged,          // every relying party has acknowledged it
  kUnacknowledged,  // STAGED; a relying party has not
  kForeign,         // STAGED, of another tenant
  kUnknown,         // nobody's
};
constexpr const char* kRootNames[] = {"Retired",        "Keyless",   "RetiringBefore", "Retiring",
                                      "Primary",        "Discarded", "Expired",        "Staged",
                                      "Unacknowledged", "Foreign",   "Unknown"};
constexpr std::size_t kRoots = std::size(kRootNames);

enum class Verb {
  kPromote,
  kOverride,      // promote with a reason why relying parties do not hold it up
  kPromoteAgain,  // after a promotion, whatever became of that
  kRollBack,
  kRetire,
  kRetireWithKey,  // with destroy_key
  kDiscard,
  kDiscardWithKey,  // with destroy_key
};
constexpr const char* kVerbNames[] = {"Promote", "Override",      "PromoteAgain", "RollBack",
                                      "Retire",  "RetireWithKey", "Discard",      "DiscardWithKey"};
constexpr std::size_t kVerbs = std::size(kVerbNames);

struct Cell {
  enum class Kind { kMissing, kRefused, kSigns, kEnds, kErases };
  Kind kind = Kind::kMissing;
  ErrorReason reason = ErrorReason::kUnspecified;  // with kRefused
  const char* field = "";                          // likewise
};
constexpr Cell kSigns{Cell::Kind::kSigns};
constexpr Cell kEnds{Cell::Kind::kEnds};
constexpr Cell kErases{Cell::Kind::kErases};
constexpr Cell kNever{Cell::Kind::kRefused, ErrorReason::kRootMoveIllegal, "root_id"};
constexpr Cell kWaits{Cell::Kind::kRefused, ErrorReason::kPromotionBlocked, "root_id"};
constexpr Cell kGone{Cell::Kind::kRefused, ErrorReason::kKeyDestroyed, "destroy_key"};
constexpr Cell kNone{Cell::Kind::kRefused, ErrorReason::kRootUnknown, "root_id"};

struct Row {
  Root root;
  Cell cells[kVerbs];  // by Verb
};

using enum Root;

// clang-format off
constexpr Row kTable[] = {
    //                                            roll             retire            discard
    //                 promote override again     back    retire   with key discard  with key
    {kRetired,        {kNever, kNever,  kNever,   kNever, kNever,  kErases, kNever,  kNever}},
    {kKeyless,        {kNever, kNever,  kNever,   kNever, kNever,  kGone,   kNever,  kGone}},
    {kRetiringBefore, {kNever, kNever,  kNever,   kNever, kEnds,   kErases, kNever,  kNever}},
    {kRetiring,       {kNever, kNever,  kNever,   kSigns, kEnds,   kErases, kNever,  kNever}},
    {kPrimary,        {kNever, kNever,  kNever,   kNever, kNever,  kNever,  kNever,  kNever}},
    {kDiscarded,      {kNever, kNever,  kNever,   kNever, kNever,  kNever,  kNever,  kErases}},
    {kExpired,        {kNever, kNever,  kNever,   kNever, kNever,  kNever,  kEnds,   kErases}},
    {kStaged,         {kSigns, kSigns,  kNever,   kNever, kNever,  kNever,  kEnds,   kErases}},
    {kUnacknowledged, {kWaits, kSigns,  kWaits,   kNever, kNever,  kNever,  kEnds,   kErases}},
    {kForeign,        {kNone,  kNone,   kNone,    kNone,  kNone,   kNone,   kNone,   kNone}},
    {kUnknown,        {kNone,  kNone,   kNone,    kNone,  kNone,   kNone,   kNone,   kNone}},
};
// clang-format on

constexpr bool HasACellForEveryPair() {
  if (std::size(kTable) != kRoots) return false;
  for (std::size_t i = 0; i < kRoots; ++i) {
    if (kTable[i].root != static_cast<Root>(i)) return false;
    for (const Cell& cell : kTable[i].cells) {
      if (cell.kind == Cell::Kind::kMissing) return false;
    }
  }
  return true;
}
static_assert(kRoots == static_cast<std::size_t>(kUnknown) + 1);
static_assert(kVerbs == static_cast<std::size_t>(Verb::kDiscardWithKey) + 1);
static_assert(HasACellForEveryPair());

constexpr Timestamp kStart = std::chrono::sys_days(std::chrono::year(2026) / 5 / 4);
// By then the root that was made for a day has expired.
constexpr Timestamp kNow = kStart + std::chrono::hours(25);

std::string IdOf(Root root) { return RootIdOf(static_cast<int>(root) + 1); }

// A service on the files of a folder.
class World {
 public:
  World(const std::string& folder, Timestamp now) : clock_(now) {
    auto store = OpenSqliteStore(folder + "/store.sqlite");
    EXPECT_OK(store);
    store_ = *std::move(store);
    hsm::KeyStoreOptions options;
    options.software_directory = folder + "/keys";
    auto keys = hsm::KeyStore::Create(options);
    EXPECT_OK(keys);
    keys_ = *std::move(keys);
    tenants_.emplace(store_.get(), keys_.get(), IssuingConfig(),
                     std::map<std::string, IssuingConfig>());
    roots_.emplace(store_.get(), keys_.get(), &*tenants_, &entropy_, &clock_);
  }

  Store& store() { return *store_; }
  hsm::KeyStore& keys() { return *keys_; }

  // The roots of the table.
  void Make() {
    for (const char* tenant_id : {"contoso", "fabrikam"}) {
      TenantRecord tenant;
      tenant.tenant_id = tenant_id;
      tenant.display_name = tenant_id;
      tenant.created_at = clock_.Now();
      ASSERT_OK(store_->CreateTenant(tenant));
    }
    for (const Root root : {kRetired, kKeyless, kRetiringBefore, kRetiring, kPrimary}) {
      Create(root);
      ASSERT_OK(roots_->Promote(
          {.tenant_id = "contoso", .root_id = IdOf(root), .without_relying_parties = true}));
    }
    ASSERT_OK(roots_->Retire("contoso", IdOf(kRetired), KeyFate::kKeep));
    ASSERT_OK(roots_->Retire("contoso", IdOf(kKeyless), KeyFate::kDestroy));
    Create(kDiscarded);
    ASSERT_OK(roots_->Discard("contoso", IdOf(kDiscarded), KeyFate::kKeep));
    Create(kExpired, std::chrono::hours(24));
    Create(kStaged);
    RegisterAndAcknowledge();
    Create(kUnacknowledged);
    for (int i = 0; i < static_cast<int>(kForeign); ++i) {
      ASSERT_OK(store_->ReserveGeneration("fabrikam"));
    }
    Create(kForeign, kYear, "fabrikam");
    EXPECT_THAT(States(),
                testing::ElementsAre("RETIRED", "RETIRED", "RETIRING", "RETIRING", "PRIMARY",
                                     "DISCARDED", "STAGED", "STAGED", "STAGED"));
  }

  absl::StatusOr<RootRecord> Do(Verb verb, const std::string& root_id) {
    PromotionOrder promotion{.tenant_id = "contoso", .root_id = root_id, .caller = "admin"};
    switch (verb) {
      case Verb::kOverride:
        promotion.override_reason = "the old key leaked";
        [[fallthrough]];
      case Verb::kPromote:
      case Verb::kPromoteAgain:
        return roots_->Promote(promotion);
      case Verb::kRollBack:
        return roots_->RollBack("contoso", root_id, "admin", "gateway 7 refuses it");
      case Verb::kRetire:
        return roots_->Retire("contoso", root_id, KeyFate::kKeep, "admin");
      case Verb::kRetireWithKey:
        return roots_->Retire("contoso", root_id, KeyFate::kDestroy, "admin");
      case Verb::kDiscard:
        return roots_->Discard("contoso", root_id, KeyFate::kKeep, "admin");
      case Verb::kDiscardWithKey:
        return roots_->Discard("contoso", root_id, KeyFate::kDestroy, "admin");
    }
    return absl::InternalError("no verb");
  }

 private:
  static constexpr std::chrono::seconds kYear = std::chrono::hours(24 * 365);

  void Create(Root root, std::chrono::seconds duration = kYear, const char* tenant_id = "contoso") {
    RootOrder order;
    order.tenant_id = tenant_id;
    order.duration = duration;
    order.key_type = hsm::KeyType::kEcP256;
    ASSERT_OK_AND_ASSIGN(const RootRecord made, roots_->Create(order));
    ASSERT_EQ(made.root_id, IdOf(root));
  }
  // Of contoso's roots, by number.
  std::vector<std::string> States() {
    std::vector<std::string> states;
    for (const RootRecord& root : store_->ListRoots("contoso").value()) {
      states.emplace_back(ca::RootStateName(root.state));
    }
    return states;
  }
  void RegisterAndAcknowledge() {
    RelyingPartyRecord party;
    party.tenant_id = "contoso";
    party.name = "vpn-1";
    party.identity = "gateway";
    ASSERT_OK(store_->AddRelyingParty(party, {clock_.Now(), "admin", ""}));
    ASSERT_OK_AND_ASSIGN(const TenantRecord tenant, store_->GetTenant("contoso"));
    Acknowledgement acknowledgement;
    acknowledgement.tenant_id = "contoso";
    acknowledgement.name = "vpn-1";
    acknowledgement.identity = "gateway";
    acknowledgement.version = tenant.revision;
    acknowledgement.document_sha256 = std::string(32, '\x5a');
    ASSERT_OK(store_->Acknowledge(acknowledgement, {clock_.Now(), "gateway", ""}));
  }

  DoubtedClock clock_;
  SystemEntropy entropy_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::optional<Tenants> tenants_;
  std::optional<RootAdministration> roots_;
};

// All that a verb could change, of both tenants.
struct Snapshot {
  std::vector<TenantRecord> tenants;
  std::vector<RootRecord> roots;
  std::vector<RootRecord> foreign_roots;
  std::vector<AdministrativeAction> actions;
  std::vector<std::string> keys;  // URIs of those of `roots` and `foreign_roots` that are there
};

Snapshot Look(World& world) {
  Snapshot seen;
  seen.tenants = world.store().ListTenants().value();
  seen.roots = world.store().ListRoots("contoso").value();
  seen.foreign_roots = world.store().ListRoots("fabrikam").value();
  for (const char* tenant_id : {"contoso", "fabrikam"}) {
    const auto page = world.store().ListAdministrativeActions(tenant_id, 100, "");
    EXPECT_OK(page);
    seen.actions.insert(seen.actions.end(), page->records.begin(), page->records.end());
  }
  for (const auto* roots : {&seen.roots, &seen.foreign_roots}) {
    for (const RootRecord& root : *roots) {
      if (world.keys().Open(root.key_uri).ok()) seen.keys.push_back(root.key_uri);
    }
  }
  return seen;
}

void ExpectUnchanged(const Snapshot& before, const Snapshot& after) {
  EXPECT_TRUE(after.tenants == before.tenants) << "a revision or an epoch has changed";
  EXPECT_TRUE(after.roots == before.roots) << "a root has changed";
  EXPECT_TRUE(after.foreign_roots == before.foreign_roots) << "a root of fabrikam has changed";
  EXPECT_TRUE(after.actions == before.actions) << "an administrative action was recorded";
  EXPECT_EQ(after.keys, before.keys);
}

// As the head of this file says.
ca::RootState StateThen(const RootRecord& root, Root subject, Verb verb, Cell::Kind kind) {
  const bool switches = kind == Cell::Kind::kSigns;
  if (root.root_id != IdOf(subject)) {
    return switches && root.state == ca::RootState::kPrimary ? ca::RootState::kRetiring
                                                             : root.state;
  }
  if (switches) return ca::RootState::kPrimary;
  const bool retires = verb == Verb::kRetire || verb == Verb::kRetireWithKey;
  return retires ? ca::RootState::kRetired : ca::RootState::kDiscarded;
}

void ExpectDone(Root subject, Verb verb, Cell::Kind kind, const Snapshot& before,
                const Snapshot& after) {
  ASSERT_EQ(after.roots.size(), before.roots.size());
  std::size_t moved = 0;
  for (std::size_t i = 0; i < before.roots.size(); ++i) {
    const RootRecord& old = before.roots[i];
    const ca::RootState state = StateThen(old, subject, verb, kind);
    EXPECT_EQ(after.roots[i].state, state) << old.root_id;
    if (state != old.state) ++moved;
    if (state == old.state && old.root_id != IdOf(subject)) {
      EXPECT_TRUE(after.roots[i] == old) << old.root_id;
    }
  }
  const TenantRecord& contoso = before.tenants.at(0);
  EXPECT_EQ(after.tenants.at(0).revision, contoso.revision + (moved > 0 ? 1 : 0));
  EXPECT_EQ(after.tenants.at(0).epoch, contoso.epoch + (kind == Cell::Kind::kSigns ? 1 : 0));
  EXPECT_EQ(after.actions.size(), before.actions.size() + moved);
  EXPECT_TRUE(after.tenants.at(1) == before.tenants.at(1));
  EXPECT_TRUE(after.foreign_roots == before.foreign_roots);
  std::vector<std::string> keys = before.keys;
  const RootRecord& root = before.roots[static_cast<std::size_t>(subject)];
  if (kind == Cell::Kind::kErases) std::erase(keys, root.key_uri);
  EXPECT_EQ(after.keys, keys);
  EXPECT_EQ(after.roots[static_cast<std::size_t>(subject)].key_destroyed_at.has_value(),
            kind == Cell::Kind::kErases);
}

class RootVerbsTest : public testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {
 protected:
  static void SetUpTestSuite() {
    made_ = new TemporaryDirectory();
    World(made_->path(), kStart).Make();
  }
  static void TearDownTestSuite() {
    delete made_;
    made_ = nullptr;
  }
  // Each cell has a copy of the world for itself.
  void SetUp() override {
    fs::copy(made_->path(), directory_.File("world"), fs::copy_options::recursive);
    world_.emplace(directory_.File("world"), kNow);
  }

  static TemporaryDirectory* made_;

  const TemporaryDirectory directory_;
  std::optional<World> world_;
};

TemporaryDirectory* RootVerbsTest::made_ = nullptr;

TEST_P(RootVerbsTest, DoesWhatItsCellSays) {
  const auto [row, column] = GetParam();
  const Cell& cell = kTable[row].cells[column];
  const Root root = kTable[row].root;
  const Verb verb = static_cast<Verb>(column);
  if (verb == Verb::kPromoteAgain) static_cast<void>(world_->Do(Verb::kPromote, IdOf(root)));
  const Snapshot before = Look(*world_);
  const absl::StatusOr<RootRecord> answer = world_->Do(verb, IdOf(root));
  const Snapshot after = Look(*world_);
  if (cell.kind == Cell::Kind::kRefused) {
    EXPECT_THAT(answer, FailsWith(cell.reason, std::string(cell.field)));
    ExpectUnchanged(before, after);
    return;
  }
  ASSERT_OK(answer);
  EXPECT_TRUE(*answer == after.roots[row]) << "the answer is the root as it is now";
  ExpectDone(root, verb, cell.kind, before, after);
}

INSTANTIATE_TEST_SUITE_P(Table, RootVerbsTest,
                         testing::Combine(testing::Range<std::size_t>(0, kRoots),
                                          testing::Range<std::size_t>(0, kVerbs)),
                         [](const auto& cell) {
                           return absl::StrCat(kRootNames[std::get<0>(cell.param)], "_",
                                               kVerbNames[std::get<1>(cell.param)]);
                         });

}  // namespace
}  // namespace hourglass::issuance
