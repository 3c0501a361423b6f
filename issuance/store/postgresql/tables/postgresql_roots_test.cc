#include "issuance/store/postgresql/tables/postgresql_roots.h"

#include <gmock/gmock.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/fence.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_keys.h"
#include "issuance/store/postgresql/tables/postgresql_relying_parties.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"
#include "issuance/store/postgresql/tables/testing/tables_test.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using ca::RootState;
using testing::ElementsAre;
using testing::HasSubstr;

class PostgresqlRootsTest : public TablesTest {
 protected:
  absl::Status Add(const RootRecord& root) {
    return Change([&](Connection& c) { return AddRoot(c, root); });
  }
  absl::Status Move(std::uint64_t revision, const std::vector<RootStateChange>& changes,
                    const RootChangeOrder& order = {SampleTime(7)}) {
    return Change([&](Connection& c) {
      return ChangeRootStates(c, kSampleTenant, revision, changes, order);
    });
  }
  // `CALLER: ACTION SUBJECT FROM-TO, REASON` of each action, newest first; `!` where it overrode.
  std::vector<std::string> Actions() {
    std::vector<std::string> actions;
    const auto page = ListAdministrativeActions(*connection_, kSampleTenant, kMaxPageSize, "");
    for (const AdministrativeAction& action : page->records) {
      actions.push_back(absl::StrCat(action.caller, ": ", action.action, " ", action.subject, " ",
                                     action.from_state, "-", action.to_state, ", ", action.reason,
                                     action.overrides ? "!" : ""));
    }
    return actions;
  }
  // `EPOCH/REVISION` of the tenant.
  std::string Counters() {
    const TenantRecord tenant = GetTenant(*connection_, kSampleTenant).value();
    return std::to_string(tenant.epoch) + "/" + std::to_string(tenant.revision);
  }
  // What the fence takes for it; empty where there is none.
  std::string PrimaryRoot() {
    std::optional<FencedTenant> tenant;
    EXPECT_OK(Write(*connection_, [&](Connection& c) {
      tenant = HoldTenant(c, kSampleTenant).value();
      return absl::OkStatus();
    }));
    return tenant.has_value() ? tenant->primary_root : "no tenant";
  }
  RootState StateOf(const std::string& root_id) {
    return GetRoot(*connection_, kSampleTenant, root_id)->state;
  }
  std::vector<RootRecord> Roots() { return ListRoots(*connection_, kSampleTenant).value(); }
  // The `state_revision` of each root, by generation.
  std::vector<std::uint64_t> StateRevisions() {
    std::vector<std::uint64_t> revisions;
    for (const RootRecord& root : Roots()) revisions.push_back(root.state_revision);
    return revisions;
  }
};

TEST(ParseStateTest, KnowsTheNamesOfColumns) {
  for (const RootState state : {RootState::kStaged, RootState::kPrimary, RootState::kRetiring,
                                RootState::kRetired, RootState::kDiscarded}) {
    EXPECT_EQ(ParseState(ca::RootStateName(state)).value(), state);
  }
  for (const char* name : {"", "staged", "STAGED ", "STAGE", "GONE"}) {
    EXPECT_THAT(ParseState(name), FailsWith(ErrorReason::kJournalUnavailable)) << name;
  }
}

TEST_F(PostgresqlRootsTest, ARootIsReadBackInEveryField) {
  RootRecord root = SampleRoot(2);
  root.root_id = std::string("root ") + kUnusualText;
  root.key_uri = std::string("uri ") + kUnusualText;
  root.request_id = std::string("request ") + kUnusualText;
  root.certificate = AllOctets();
  root.last_leaf_not_after = ca::Time(std::chrono::seconds(-1));
  root.key_destroyed_at = Timestamp(std::chrono::microseconds(-1));
  root.created_by = std::string("by ") + kUnusualText;
  root.bundle_version = root.state_revision = 9;
  ASSERT_OK(Add(root));
  root.bundle_version = root.state_revision = 1;
  EXPECT_EQ(GetRoot(*connection_, kSampleTenant, root.root_id).value(), root);
  ASSERT_OK(Add(SampleRoot(1)));
  RootRecord first = SampleRoot(1);
  first.bundle_version = first.state_revision = 2;
  EXPECT_THAT(Roots(), ElementsAre(first, root)) << "by generation";
  EXPECT_THAT(ListRoots(*connection_, "fabrikam").value(), ElementsAre());
  EXPECT_THAT(GetRoot(*connection_, "fabrikam", "root-1"),
              FailsWith(ErrorReason::kRootUnknown, "root_id"));
}

TEST_F(PostgresqlRootsTest, ARootThatIsRefusedRaisesNoRevision) {
  ASSERT_OK(Add(SampleRoot(1)));
  EXPECT_EQ(Counters(), "0/1");
  const auto collides = FailsWith(ErrorReason::kInternalError);
  RootRecord same = SampleRoot(2);
  same.root_id = "root-1";
  EXPECT_THAT(Add(same), collides);
  same = SampleRoot(2);
  same.generation = 1;
  EXPECT_THAT(Add(same), collides);
  same = SampleRoot(2);
  same.request_id = SampleRoot(1).request_id;
  EXPECT_THAT(Add(same), FailsWith(ErrorReason::kRequestIdReused, "request_id"));
  same = SampleRoot(1, "fabrikam");
  same.key_uri = SampleRoot(1).key_uri;
  EXPECT_THAT(Add(same), FailsWith(ErrorReason::kKeyExists, "key_uri"));
  for (const RootState state : {RootState::kPrimary, RootState::kRetired}) {
    same = SampleRoot(2);
    same.state = state;
    EXPECT_THAT(Add(same), FailsWith(ErrorReason::kInternalError, "state"));
  }
  EXPECT_THAT(Add(SampleRoot(1, "nobody")), FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  EXPECT_EQ(Counters(), "0/1");
  ASSERT_OK(Add(SampleRoot(2)));
  EXPECT_EQ(Counters(), "0/2");
}

TEST_F(PostgresqlRootsTest, EmptyRequestIdsDoNotCollide) {
  for (const int generation : {1, 2}) {
    RootRecord root = SampleRoot(generation);
    root.request_id = "";
    EXPECT_OK(Add(root)) << generation;
  }
}

TEST_F(PostgresqlRootsTest, ARootThatIsThereIsNoPlanAnyMore) {
  ASSERT_OK(PlanKey(*connection_, {"contoso", 1, SampleRoot(1).key_uri, ""}));
  ASSERT_OK(PlanKey(*connection_, {"contoso", 2, SampleRoot(2).key_uri, ""}));
  ASSERT_OK(Add(SampleRoot(1)));
  EXPECT_EQ(ListPlannedKeys(*connection_, "contoso")->size(), 1u);
  EXPECT_EQ(ListPlannedKeys(*connection_, "contoso")->front().generation, 2);
}

TEST_F(PostgresqlRootsTest, ASwitchIsOneChangeInWhateverOrder) {
  ASSERT_OK(Add(SampleRoot(1)));
  ASSERT_OK(Add(SampleRoot(2)));
  ASSERT_OK(Move(2, {{"root-1", RootState::kStaged, RootState::kPrimary}}));
  EXPECT_EQ(Counters(), "1/3");
  ASSERT_OK(Move(3, {{"root-2", RootState::kStaged, RootState::kPrimary},
                     {"root-1", RootState::kPrimary, RootState::kRetiring}}));
  EXPECT_EQ(Counters(), "2/4");
  EXPECT_EQ(StateOf("root-1"), RootState::kRetiring);
  EXPECT_EQ(StateOf("root-2"), RootState::kPrimary);
  EXPECT_EQ(GetRoot(*connection_, kSampleTenant, "root-1")->state_since, SampleTime(7));
  ASSERT_OK(Move(4, {{"root-1", RootState::kRetiring, RootState::kRetired}}));
  EXPECT_EQ(Counters(), "2/5") << "the primary is the same";
}

// What the fence goes by.
TEST_F(PostgresqlRootsTest, TheTenantNamesItsPrimary) {
  ASSERT_OK(Add(SampleRoot(1)));
  ASSERT_OK(Add(SampleRoot(2)));
  EXPECT_EQ(PrimaryRoot(), "");
  ASSERT_OK(Move(2, {{"root-1", RootState::kStaged, RootState::kPrimary}}));
  EXPECT_EQ(PrimaryRoot(), "root-1");
  ASSERT_OK(Add(SampleRoot(3)));
  ASSERT_OK(Move(4, {{"root-3", RootState::kStaged, RootState::kDiscarded}}));
  EXPECT_EQ(PrimaryRoot(), "root-1");
  EXPECT_THAT(Move(5, {{"root-2", RootState::kStaged, RootState::kPrimary}}),
              FailsWith(ErrorReason::kRootMoveIllegal));
  EXPECT_EQ(PrimaryRoot(), "root-1");
  ASSERT_OK(Move(5, {{"root-2", RootState::kStaged, RootState::kPrimary},
                     {"root-1", RootState::kPrimary, RootState::kRetiring}}));
  EXPECT_EQ(PrimaryRoot(), "root-2");
  ASSERT_OK(Move(6, {{"root-2", RootState::kPrimary, RootState::kRetiring}}));
  EXPECT_EQ(PrimaryRoot(), "");
  EXPECT_EQ(Counters(), "3/7");
}

// The statements look before they write; whoever does not is stopped all the same.
TEST_F(PostgresqlRootsTest, TheDatabaseItselfHoldsOnePrimary) {
  ASSERT_OK(Add(SampleRoot(1)));
  ASSERT_OK(Add(SampleRoot(2)));
  ASSERT_OK(Move(2, {{"root-1", RootState::kStaged, RootState::kPrimary}}));
  const absl::Status second =
      connection_->Change("UPDATE roots SET state = 'PRIMARY' WHERE root_id = 'root-2'").status();
  EXPECT_THAT(second, FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(std::string(second.message()), HasSubstr("one_primary"));
  EXPECT_OK(connection_->Change("UPDATE roots SET state = 'RETIRED' WHERE root_id = 'root-2'"));
}

TEST_F(PostgresqlRootsTest, TheLastLeafIsTheLatestThatAnyWriterNoted) {
  // Of root-1 and root-2, in seconds; 0 where there is none.
  const auto last_leaves = [&] {
    std::vector<std::int64_t> seconds;
    for (const RootRecord& root : Roots()) {
      EXPECT_EQ(root, GetRoot(*connection_, kSampleTenant, root.root_id).value());
      seconds.push_back(root.last_leaf_not_after.value_or(ca::Time()).time_since_epoch().count());
    }
    return seconds;
  };
  const auto note = [&](absl::string_view tenant, absl::string_view root, std::int64_t writer,
                        std::int64_t not_after) {
    ASSERT_OK(
        connection_->Change("INSERT INTO last_leaves (tenant_id, root_id, writer, not_after) "
                            "VALUES ($1, $2, $3, $4)",
                            {Text{tenant}, Text{root}, writer, not_after}));
  };
  RootRecord root = SampleRoot(1);
  root.last_leaf_not_after = ca::Time(std::chrono::seconds(500));
  ASSERT_OK(Add(root));
  ASSERT_OK(Add(SampleRoot(2)));
  EXPECT_THAT(last_leaves(), ElementsAre(500, 0));
  note("contoso", "root-1", 1, 400);
  note("contoso", "root-2", 1, 300);
  note("fabrikam", "root-1", 1, 9999);
  EXPECT_THAT(last_leaves(), ElementsAre(500, 300)) << "what came with the root is later";
  note("contoso", "root-1", 2, 600);
  note("contoso", "root-1", 3, 200);
  EXPECT_THAT(last_leaves(), ElementsAre(600, 300));
}

TEST_F(PostgresqlRootsTest, ChangesAreInTheOrderOfTheirRevisionsWhateverTheClockSays) {
  const RootState kStaged = RootState::kStaged, kPrimary = RootState::kPrimary,
                  kRetiring = RootState::kRetiring;
  for (const int generation : {1, 2, 3}) ASSERT_OK(Add(SampleRoot(generation)));
  EXPECT_THAT(StateRevisions(), ElementsAre(1, 2, 3));
  ASSERT_OK(Move(3, {{"root-3", kStaged, kPrimary}}, {SampleTime(9)}));
  EXPECT_THAT(StateRevisions(), ElementsAre(1, 2, 4));
  ASSERT_OK(
      Move(4, {{"root-1", kStaged, kPrimary}, {"root-3", kPrimary, kRetiring}}, {SampleTime(8)}));
  EXPECT_THAT(StateRevisions(), ElementsAre(5, 2, 5)) << "what changes at once has one revision";
  EXPECT_THAT(Move(5, {{"root-2", kStaged, kPrimary}}), FailsWith(ErrorReason::kRootMoveIllegal));
  ASSERT_OK(
      Move(5, {{"root-2", kStaged, kPrimary}, {"root-1", kPrimary, kRetiring}}, {SampleTime(7)}));
  EXPECT_THAT(StateRevisions(), ElementsAre(6, 6, 5));
  EXPECT_EQ(GetRoot(*connection_, kSampleTenant, "root-1")->bundle_version, 1u);
}

TEST_F(PostgresqlRootsTest, AChangeThatIsRefusedChangesNothing) {
  ASSERT_OK(Add(SampleRoot(1)));
  ASSERT_OK(Add(SampleRoot(2)));
  ASSERT_OK(Move(2, {{"root-1", RootState::kStaged, RootState::kPrimary}}));
  const auto illegal = FailsWith(ErrorReason::kRootMoveIllegal, "root_id");
  EXPECT_THAT(Move(3, {{"root-2", RootState::kStaged, RootState::kPrimary}}), illegal)
      << "a second primary";
  EXPECT_THAT(Move(3, {{"root-2", RootState::kRetiring, RootState::kRetired}}), illegal)
      << "its state is another";
  EXPECT_THAT(Move(3, {{"root-1", RootState::kPrimary, RootState::kRetiring},
                       {"root-9", RootState::kStaged, RootState::kPrimary}}),
              FailsWith(ErrorReason::kRootUnknown, "root_id"));
  for (const std::uint64_t revision : {std::uint64_t{2}, std::uint64_t{4}, ~std::uint64_t{0}}) {
    EXPECT_THAT(Move(revision, {{"root-2", RootState::kStaged, RootState::kDiscarded}}),
                FailsWith(ErrorReason::kPrimaryChanged));
  }
  EXPECT_EQ(Counters(), "1/3");
  EXPECT_EQ(StateOf("root-1"), RootState::kPrimary);
  EXPECT_EQ(StateOf("root-2"), RootState::kStaged);
  const std::vector<RootStateChange> none,
      promotion = {{"root-2", RootState::kStaged, RootState::kPrimary}};
  for (const std::vector<RootStateChange>& changes : {none, promotion}) {
    EXPECT_THAT(Change([&](Connection& c) {
                  return ChangeRootStates(c, "nobody", 0, changes, {SampleTime()});
                }),
                FailsWith(ErrorReason::kTenantUnknown, "tenant_id"));
  }
}

TEST_F(PostgresqlRootsTest, EachChangeThatIsMadeIsRecorded) {
  ASSERT_OK(Add(SampleRoot(1)));
  ASSERT_OK(Add(SampleRoot(2)));
  ASSERT_OK(Move(2, {{"root-1", RootState::kStaged, RootState::kPrimary}},
                 {.now = SampleTime(1), .caller = "one", .reason = "first", .overrides = true}));
  const std::vector<RootStateChange> second = {
      {"root-2", RootState::kStaged, RootState::kPrimary},
      {"root-1", RootState::kPrimary, RootState::kRetiring}};
  EXPECT_THAT(Move(2, second, {SampleTime(2), "two"}), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(Move(3, {second[0]}, {SampleTime(2), "two"}),
              FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  ASSERT_OK(
      Move(3, second, {.now = SampleTime(3), .caller = "three", .reason = "", .overrides = true}));
  ASSERT_OK(Move(4,
                 {{"root-2", RootState::kPrimary, RootState::kRetiring},
                  {"root-1", RootState::kRetiring, RootState::kPrimary}},
                 {.now = SampleTime(4), .caller = "four", .reason = "back", .overrides = true}));
  EXPECT_THAT(Actions(), ElementsAre("four: root_rolled_back root-1 RETIRING-PRIMARY, back",
                                     "four: root_demoted root-2 PRIMARY-RETIRING, back",
                                     "three: root_promoted root-2 STAGED-PRIMARY, !",
                                     "three: root_demoted root-1 PRIMARY-RETIRING, ",
                                     "one: root_promoted root-1 STAGED-PRIMARY, first!",
                                     "administrator: root_created root-2 -STAGED, ",
                                     "administrator: root_created root-1 -STAGED, "));
  const auto newest = ListAdministrativeActions(*connection_, kSampleTenant, kMaxPageSize, "");
  EXPECT_EQ(newest->records.front().at, SampleTime(4));
  EXPECT_EQ(newest->records.back().at, SampleRoot(1).created_at);
}

TEST_F(PostgresqlRootsTest, APromotionAwaitsAcknowledgementsOnlyWhereItSaysSo) {
  RootChangeOrder awaiting = {SampleTime(7)};
  awaiting.awaits_acknowledgements = true;
  const std::vector<RootStateChange> promotion = {
      {"root-1", RootState::kStaged, RootState::kPrimary}};
  ASSERT_OK(Add(SampleRoot(1)));
  const auto blocked = FailsWith(ErrorReason::kPromotionBlocked, "root_id");
  EXPECT_THAT(Move(1, promotion, awaiting), blocked);
  ASSERT_OK(Change(
      [](Connection& c) { return AddRelyingParty(c, SampleRelyingParty("vpn"), SampleCause()); }));
  EXPECT_THAT(Move(1, promotion, awaiting), blocked);
  EXPECT_EQ(Counters(), "0/1");
  EXPECT_EQ(StateOf("root-1"), RootState::kStaged);
  EXPECT_EQ(Actions().size(), 2u) << "of the root and of the relying party";
  EXPECT_THAT(Move(1, {{"root-2", RootState::kStaged, RootState::kPrimary}}, awaiting),
              FailsWith(ErrorReason::kRootUnknown, "root_id"));
  ASSERT_OK(Change([](Connection& c) {
    return Acknowledge(c, SampleAcknowledgement("vpn", 1), SampleCause()).status();
  }));
  ASSERT_OK(Move(1, promotion, awaiting));
  ASSERT_OK(Add(SampleRoot(2)));
  EXPECT_OK(Move(3, {{"root-1", RootState::kPrimary, RootState::kRetiring},
                     {"root-2", RootState::kStaged, RootState::kPrimary}}));
}

TEST_F(PostgresqlRootsTest, UnknownColumnsAreDamage) {
  ASSERT_OK(Add(SampleRoot(1)));
  ASSERT_OK(ConnectAsOwner()->Execute("ALTER TABLE roots DROP CONSTRAINT roots_state_check"));
  const struct {
    const char* sql;
    const char* words;
  } kCases[] = {
      {"UPDATE roots SET key_type = 'ec-p384 '", "unknown key type of a root"},
      {"UPDATE roots SET key_type = 'EC_P384', state = 'x'", "unknown state of a root"},
  };
  for (const auto& test : kCases) {
    ASSERT_OK(ConnectAsOwner()->Execute(test.sql));
    for (const absl::Status& damaged : {GetRoot(*connection_, kSampleTenant, "root-1").status(),
                                        ListRoots(*connection_, kSampleTenant).status()}) {
      EXPECT_THAT(damaged, FailsWith(ErrorReason::kJournalUnavailable));
      EXPECT_THAT(std::string(damaged.message()), HasSubstr(test.words));
    }
  }
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
