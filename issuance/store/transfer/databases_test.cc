// Whole stores go from SQLite to PostgreSQL and back, whatever interrupts it.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/postgresql/postgresql_store.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/sqlite_check.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/sqlite/sqlite_time_records.h"
#include "issuance/store/testing/fill_journal.h"
#include "issuance/store/testing/sample_records.h"
#include "issuance/store/transfer/postgresql_movable.h"
#include "issuance/store/transfer/sqlite_movable.h"
#include "issuance/store/transfer/store_move.h"
#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

constexpr char kInternational[] = "J\xc3\x9cRGEN.M\xc3\xbcller@m\xc3\xbcnchen.example";
constexpr char kFolded[] = "j\xc3\xbcrgen.m\xc3\xbcller@m\xc3\xbcnchen.example";

// Keys of devices in every state.
absl::Status FillDeviceKeys(Store& store) {
  constexpr auto kLater = DeviceKeyStore::Approval::kLater;
  DeviceKeyRecord unusual = SampleDeviceKey("a", kUnusualText);
  unusual.public_key = AllOctets();
  for (const DeviceKeyRecord& key :
       {unusual, SampleDeviceKey("b", "Laptop-1"), SampleDeviceKey("c", "laptop-1"),
        SampleDeviceKey("a", "Laptop-1", "fabrikam")}) {
    RETURN_IF_ERROR(store.EnrolDeviceKey(key, kLater, SampleCause()).status());
  }
  for (const char* key : {"id-of-b", "id-of-c"}) {
    RETURN_IF_ERROR(store.ApproveDeviceKey(kSampleTenant, key, true, SampleCause()).status());
  }
  return store.RemoveDeviceKey(kSampleTenant, "id-of-c", true, SampleCause()).status();
}

// Policies with a history, users, blocks: of one tenant and of the other.
absl::Status FillAccess(Store& store) {
  PolicyRecord changed = SamplePolicy(kUnusualText);
  changed.state = "disabled";
  changed.document = kUnusualText;
  for (const auto& [put, deleted] :
       std::vector<std::pair<std::vector<PolicyRecord>, std::vector<std::string>>>{
           {{SamplePolicy(kUnusualText), SamplePolicy("gone")}, {}}, {{changed}, {"gone"}}}) {
    RETURN_IF_ERROR(
        store.ChangePolicies(kSampleTenant, std::nullopt, put, deleted, SampleCause()).status());
  }
  RETURN_IF_ERROR(
      store.ChangePolicies("fabrikam", 0, {SamplePolicy("p")}, {}, SampleCause()).status());
  DirectoryUser guest = SampleUser(kUnusualText);
  guest.upn = kInternational;
  guest.is_guest = true;
  guest.is_enabled = false;
  guest.groups.clear();
  RETURN_IF_ERROR(store.PutUsers(kSampleTenant, {guest, SampleUser("u-1")}, SampleCause()));
  RETURN_IF_ERROR(store.PutUsers("fabrikam", {SampleUser("u-1")}, SampleCause()));
  BlockRecord block = SampleBlock(BlockRecord::Kind::kUser, kInternational);
  block.until = SampleTime(60);
  RETURN_IF_ERROR(store.Block(block, SampleCause()));
  RETURN_IF_ERROR(store.KeepRefusals({SampleRefusal("v-1"), SampleRefusal("v-2", "fabrikam")}, {}));
  return store.Block(SampleBlock(BlockRecord::Kind::kDevice, "Laptop-1", "fabrikam"),
                     SampleCause());
}

// A store with something of everything: two tenants, roots of several states, a journal of several
// segments with releases that came late and none, users of many scripts.
absl::Status Fill(const std::string& directory, int intents) {
  SqliteStoreOptions options;
  options.segment_intents = std::max(intents / 3, 2);
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> store,
                   OpenSqliteStore(SqliteStorePath(directory), options));
  RETURN_IF_ERROR(AddSamplePrimary(*store));
  RETURN_IF_ERROR(AddSamplePrimary(*store, "fabrikam"));
  RETURN_IF_ERROR(Append(*store, SampleIntent("late")));
  RETURN_IF_ERROR(FillJournal(*store, kSampleTenant, intents));
  RETURN_IF_ERROR(FillJournal(*store, "fabrikam", 3));
  RETURN_IF_ERROR(Append(*store, ReleaseOf(SampleIntent("late"))));
  Intent international = SampleIntent("international");
  international.user_upn = kInternational;
  international.device_id = kUnusualText;
  international.tbs_certificate = AllOctets();
  RETURN_IF_ERROR(Append(*store, international));
  Release odd = ReleaseOf(international);
  odd.certificate = "without the octets that were to be signed";
  RETURN_IF_ERROR(Append(*store, odd));
  RETURN_IF_ERROR(Append(*store, SampleIntent("never released")));
  for (int i = 1; i <= 3; ++i) RETURN_IF_ERROR(store->AddIntermediate(SampleIntermediate(i)));
  RETURN_IF_ERROR(store->ReleaseIntermediate(
      kSampleTenant, kSampleRoot, SampleIntermediate(2).serial_number, AllOctets(), SampleTime()));
  RETURN_IF_ERROR(store->PutDevice(SampleDevice(kUnusualText)));
  RETURN_IF_ERROR(store->PutDevice(SampleDevice("laptop-1", "fabrikam")));
  RETURN_IF_ERROR(FillAccess(*store));
  RETURN_IF_ERROR(FillDeviceKeys(*store));
  RETURN_IF_ERROR(store->AddRelyingParty(SampleRelyingParty("vpn"), SampleCause()));
  RETURN_IF_ERROR(store->AddRelyingParty(SampleManualParty("nps"), SampleCause()));
  RETURN_IF_ERROR(store->Acknowledge(SampleAcknowledgement("vpn", 2), SampleCause()).status());
  RETURN_IF_ERROR(store->BindKey({"fabrikam", "pkcs11:object=bound", AllOctets()}));
  RETURN_IF_ERROR(store->PlanKey({"fabrikam", 7, "pkcs11:object=planned", "", false}));
  RETURN_IF_ERROR(store->CondemnPlannedKey("pkcs11:object=planned", ""));
  ASSIGN_OR_RETURN(const auto times, OpenSqliteTimeRecords(SqliteStorePath(directory)));
  TimeMark mark;
  mark.newest_at = SampleTime(7);
  mark.boot_id = "boot";
  mark.settled = true;
  return times->KeepMark(mark).status();
}

// All rows, as one string: what a store holds.
std::string Dump(MovableStore& store) {
  std::string dump;
  for (const Part& part : Parts()) {
    const absl::StatusOr<std::vector<Row>> rows = store.Read(part, nullptr, 1'000'000);
    EXPECT_OK(rows);
    if (!rows.ok()) return dump;
    absl::StrAppend(&dump, "\n", part.name, " ", rows->size(), "\n");
    for (const Row& row : *rows) dump += CanonicalOctets(row);
  }
  return dump;
}

class DatabasesTest : public testing::Test {
 protected:
  PostgresqlMoveOptions Owner() const {
    PostgresqlMoveOptions options;
    options.connection = cluster_.OwnerOf(database_);
    options.connection.application_name = "hourglass store move";
    options.demands.synchronous_standby = false;
    options.machine = "berlin-1";
    return options;
  }
  PostgresqlStoreOptions Service() const {
    PostgresqlStoreOptions options;
    options.connection = cluster_.ServiceOf(database_);
    options.connection.application_name = "hourglass berlin-1";
    options.demands.synchronous_standby = false;
    return options;
  }
  std::unique_ptr<postgresql::Connection> Connect() const {
    postgresql::ConnectionParameters parameters = cluster_.OwnerOf(database_);
    parameters.application_name = "test";
    return postgresql::Connection::Open(parameters).value();
  }
  // Of a move that was killed or has ended, the server's process may live for a moment.
  void AwaitNoMove() const {
    EXPECT_OK(WaitUntilTrue(*Connect(),
                            "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = "
                            "current_database() AND application_name LIKE 'hourglass store %'"));
  }
  // Nor of a service or this test.
  void AwaitNoService() const {
    EXPECT_OK(WaitUntilTrue(*Connect(),
                            "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = "
                            "current_database() AND pid <> pg_backend_pid()"));
  }

  absl::StatusOr<MoveReport> ToPostgresql(const std::string& directory,
                                          const MoveOptions& options = {}) const {
    AwaitNoMove();
    ASSIGN_OR_RETURN(const auto from, OpenSqliteSource(directory));
    ASSIGN_OR_RETURN(const auto to, OpenPostgresqlTarget(Owner()));
    return MoveStore(*from, *to, options);
  }
  absl::StatusOr<MoveReport> ToSqlite(const std::string& directory,
                                      const MoveOptions& options = {}) const {
    AwaitNoMove();
    ASSIGN_OR_RETURN(const auto from, OpenPostgresqlSource(Owner()));
    SqliteStoreOptions small;
    small.segment_intents = 25;
    ASSIGN_OR_RETURN(const auto to, OpenSqliteTarget(directory, small));
    return MoveStore(*from, *to, options);
  }
  std::string DumpOfSqlite(const std::string& directory) const {
    const auto store = OpenSqliteSource(directory);
    EXPECT_OK(store);
    return store.ok() ? Dump(**store) : "";
  }
  std::string DumpOfPostgresql() const {
    AwaitNoService();
    const auto store = OpenPostgresqlSource(Owner());
    EXPECT_OK(store);
    return store.ok() ? Dump(**store) : "";
  }
  void ExpectUnchanged(const std::string& before) const { EXPECT_EQ(DumpOfPostgresql(), before); }

  const TemporaryDirectory source_, back_;
  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  const std::string database_ = cluster_.CreatePreparedDatabase().value();
};

void ExpectRefused(const absl::Status& status, const std::string& why) {
  EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr(why));
}

TEST_F(DatabasesTest, GoesThereAndBackOctetByOctet) {
  ASSERT_OK(Fill(source_.path(), 100));
  const std::string before = DumpOfSqlite(source_.path());
  ASSERT_OK_AND_ASSIGN(const MoveReport there, ToPostgresql(source_.path()));
  EXPECT_GT(there.total, 110);
  EXPECT_EQ(there.found, 0);
  EXPECT_EQ(DumpOfSqlite(source_.path()), before) << "the source has all it had";
  EXPECT_EQ(DumpOfPostgresql(), before);

  AwaitNoService();
  ASSERT_OK_AND_ASSIGN(const MoveReport back, ToSqlite(back_.path()));
  EXPECT_EQ(back.sha256, there.sha256);
  EXPECT_EQ(back.counts, there.counts);
  EXPECT_EQ(DumpOfSqlite(back_.path()), before);
  EXPECT_THAT(CheckSqliteStore(SqliteStorePath(back_.path())).value(), testing::IsEmpty());
}

TEST_F(DatabasesTest, WhatWasMovedIsServedOn) {
  ASSERT_OK(Fill(source_.path(), 30));
  ASSERT_OK(ToPostgresql(source_.path()));
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenPostgresqlStore(Service()));
    JournalFilter filter;
    filter.user_upn = kFolded;
    ASSERT_OK_AND_ASSIGN(const auto found, store->ListJournal(kSampleTenant, filter, 10, ""));
    ASSERT_EQ(found.records.size(), 1u);
    EXPECT_EQ(found.records[0].intent.user_upn, kInternational);
    ASSERT_OK_AND_ASSIGN(const JournalRecord late, store->FindByRequestId(kSampleTenant, "late"));
    EXPECT_EQ(late.certificate, ReleaseOf(SampleIntent("late")).certificate);
    // The fence stands where it stood, and what was not released can be.
    EXPECT_THAT(Append(*store, SampleIntent("late")), FailsWith(ErrorReason::kRequestIdReused));
    // Who was blocked is, and policies go on where they stood.
    const DecisionSubject who = {kSampleTenant, "", kFolded, ""};
    ASSERT_OK_AND_ASSIGN(const DecisionFacts facts, store->ReadDecisionFacts(who, SampleTime()));
    EXPECT_EQ(facts.policy_revision, 2u);
    EXPECT_EQ(facts.user->user_id, kUnusualText);
    EXPECT_EQ(facts.user_block->subject, kInternational);
    EXPECT_EQ(store->ListPolicyVersions(kSampleTenant, "gone", 9, "")->records.size(), 2u);
    EXPECT_EQ(
        store->ChangePolicies(kSampleTenant, 2, {SamplePolicy("gone")}, {}, SampleCause()).value(),
        3u);
    EXPECT_OK(Append(*store, ReleaseOf(SampleIntent("never released"))));
    EXPECT_OK(Append(*store, SampleIntent("after the move")));
    EXPECT_OK(store->AddIntermediate(SampleIntermediate(4)));
    EXPECT_EQ(store->ReserveGeneration(kSampleTenant).value(), 1);
    ASSERT_OK(store->AddRoot([] {
      RootRecord root = SampleRoot(2);
      root.key_made_for_root = false;
      return root;
    }()));
    ASSERT_OK_AND_ASSIGN(const auto actions,
                         store->ListAdministrativeActions(kSampleTenant, 2, ""));
    EXPECT_GT(actions.records[0].sequence, actions.records[1].sequence);
    EXPECT_EQ(actions.records[0].subject, "root-2");
  }
  AwaitNoService();
  ASSERT_OK(ToSqlite(back_.path()));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store,
                       OpenSqliteStore(SqliteStorePath(back_.path())));
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "after the move"));
  EXPECT_EQ(store->ListPolicies(kSampleTenant)->revision, 3u);
  EXPECT_EQ(store->ListPolicies(kSampleTenant)->policies.size(), 2u);
  EXPECT_EQ(store->GetUserByUpn(kSampleTenant, kFolded)->user_id, kUnusualText);
  EXPECT_EQ(store->ListBlocks("fabrikam", 9, "")->records[0].subject, "Laptop-1");
  EXPECT_EQ(store->GetRoot(kSampleTenant, "root-2")->state, ca::RootState::kStaged);
  EXPECT_THAT(Append(*store, SampleIntent("late")), FailsWith(ErrorReason::kRequestIdReused));
  EXPECT_OK(Append(*store, SampleIntent("after the move back")));
  EXPECT_OK(store->FindByRequestId(kSampleTenant, "after the move back"));
}

TEST_F(DatabasesTest, TenThousandRecordsAndDroppedOnes) {
  ASSERT_OK(Fill(source_.path(), 10'000));
  const std::string path = SqliteStorePath(source_.path());
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenSqliteStore(path));
    // Of the first segment all have expired by then.
    ASSERT_OK(store->DropJournalBefore(SampleTime(3600 + 4)));
  }
  const std::string before = DumpOfSqlite(source_.path());
  EXPECT_THAT(before, HasSubstr("journal 6"));
  ASSERT_OK_AND_ASSIGN(const MoveReport report, ToPostgresql(source_.path()));
  EXPECT_GT(report.total, 6000);
  EXPECT_LT(report.total, 7000);
  EXPECT_EQ(DumpOfPostgresql(), before);
  ASSERT_OK(ToSqlite(back_.path()));
  EXPECT_EQ(DumpOfSqlite(back_.path()), before);
}

TEST_F(DatabasesTest, TenantsOfOneNameAndOlderFilesAreMovedOnceTheyAreOfThisVersion) {
  const std::string path = source_.Write("hourglass.sqlite", "");
  {
    const auto file = sqlite::Connection::Open(path, std::chrono::seconds(1)).value();
    ASSERT_OK(sqlite::Migrate(*file, sqlite::Migrations().first(1)));
    ASSERT_OK(file->Execute(R"sql(
      INSERT INTO tenants VALUES ('second', 'CONTOSO', 2, 0, 0, 0);
      INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 3, 4);
      INSERT INTO roots VALUES ('contoso', 'r1', 1, 'PRIMARY', 'ec-p256', 'software:r1', 1, x'3000',
        100, 90000, 5, 6, 8000, 'create-1');
      INSERT INTO intents VALUES (7, 'contoso', 2, 'r1', 'one', x'd1', 'broker', 'u-1', 'a@contoso',
        'd-1', 'v-1', '1', 10, x'0001', 4400, 8000, x'300100', 20);
      INSERT INTO releases VALUES (7, x'300300', 30))sql"));
  }
  ExpectRefused(ToPostgresql(source_.path()).status(), "start the service once");
  ASSERT_OK(OpenSqliteStore(path));
  const std::string before = DumpOfSqlite(source_.path());
  ASSERT_OK(ToPostgresql(source_.path()));
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> store, OpenPostgresqlStore(Service()));
    EXPECT_EQ(store->ListTenants()->size(), 2u);
    TenantRecord taken = SampleTenant("third");
    taken.display_name = "contoso";
    EXPECT_THAT(store->CreateTenant(taken), FailsWith(ErrorReason::kDisplayNameTaken));
  }
  EXPECT_EQ(DumpOfPostgresql(), before);
  ASSERT_OK(ToSqlite(back_.path()));
  EXPECT_EQ(DumpOfSqlite(back_.path()), before);
}

// Runs `move` in a process of its own that kills itself after so many portions; whether it did.
bool KilledAt(int portions, const std::function<absl::Status(const MoveOptions&)>& move) {
  const pid_t child = fork();
  if (child == 0) {
    int seen = 0;
    MoveOptions options;
    options.portion = 20;
    options.observer = [&](const MoveProgress&) {
      if (++seen == portions) kill(getpid(), SIGKILL);
    };
    _exit(move(options).ok() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) return true;
  EXPECT_EQ(WEXITSTATUS(status), 0) << "after " << portions << " portions";
  return false;
}

TEST_F(DatabasesTest, AKillAtEachPortionIsTakenUp) {
  ASSERT_OK(Fill(source_.path(), 60));
  const std::string before = DumpOfSqlite(source_.path());
  int kills = 0;
  // Each goes on where the one before was killed, a portion later each time.
  for (int portions = 1; KilledAt(portions,
                                  [&](const MoveOptions& options) {
                                    AwaitNoService();
                                    return ToPostgresql(source_.path(), options).status();
                                  });
       ++portions) {
    ++kills;
    ASSERT_LT(kills, 100);
    AwaitNoService();
    const auto half = OpenPostgresqlStore(Service());
    if (half.ok()) {
      EXPECT_EQ(half->get()->ListTenants()->size(), 0u) << "before anything was written";
    } else {
      ExpectRefused(half.status(), "half moved");
    }
  }
  EXPECT_GT(kills, 15);
  EXPECT_EQ(DumpOfPostgresql(), before);

  kills = 0;
  for (int portions = 1; KilledAt(portions,
                                  [&](const MoveOptions& options) {
                                    AwaitNoService();
                                    return ToSqlite(back_.path(), options).status();
                                  });
       ++portions) {
    ++kills;
    ASSERT_LT(kills, 100);
    if (std::filesystem::exists(SqliteStorePath(back_.path()))) {
      ExpectRefused(OpenSqliteStore(SqliteStorePath(back_.path())).status(), "half moved");
    }
  }
  EXPECT_GT(kills, 15);
  EXPECT_EQ(DumpOfSqlite(back_.path()), before);
}

TEST_F(DatabasesTest, AKillBetweenTheTwoMarksIsTakenUp) {
  ASSERT_OK(Fill(source_.path(), 10));
  {
    ASSERT_OK_AND_ASSIGN(const auto from, OpenSqliteSource(source_.path()));
    ASSERT_OK_AND_ASSIGN(const auto to, OpenPostgresqlTarget(Owner()));
    ASSERT_OK(MoveStore(*from, *to, {}));
    // As it is between the two.
    ASSERT_OK(
        Connect()->Change("INSERT INTO store_move (is_away, other, other_id, at, records) "
                          "VALUES (false, $1, $2, 0, 9)",
                          {postgresql::Text{from->name()}, postgresql::Text{from->id()}}));
  }
  ExpectRefused(OpenSqliteStore(SqliteStorePath(source_.path())).status(), "was moved to");
  ExpectRefused(OpenPostgresqlStore(Service()).status(), "half moved");
  AwaitNoService();
  ASSERT_OK(ToPostgresql(source_.path()));
  EXPECT_OK(OpenPostgresqlStore(Service()));
  ExpectRefused(OpenSqliteStore(SqliteStorePath(source_.path())).status(), "was moved to");
  AwaitNoService();
  ExpectRefused(ToPostgresql(source_.path()).status(), "was moved to");
}

TEST_F(DatabasesTest, WhatWasMovedAwayIsServedByNobodyUntilItIsReopened) {
  const std::string path = SqliteStorePath(source_.path());
  ASSERT_OK(Fill(source_.path(), 10));
  ExpectRefused(ReopenSqliteStore(source_.path()), "was not moved away");
  ASSERT_OK(ToPostgresql(source_.path()));
  ExpectRefused(OpenSqliteStore(path).status(), "store reopen");
  ASSERT_OK(ReopenSqliteStore(source_.path()));
  EXPECT_OK(OpenSqliteStore(path));

  AwaitNoService();
  ExpectRefused(ReopenPostgresqlStore(Owner()), "was not moved away");
  ASSERT_OK(ToSqlite(back_.path()));
  ExpectRefused(OpenPostgresqlStore(Service()).status(), "store reopen");
  AwaitNoService();
  ExpectRefused(ToSqlite(back_.path()).status(), "was moved to");
  ASSERT_OK(ReopenPostgresqlStore(Owner()));
  EXPECT_OK(OpenPostgresqlStore(Service()));
}

TEST_F(DatabasesTest, ATargetThatHoldsSomethingIsLeftAlone) {
  ASSERT_OK(Fill(source_.path(), 10));
  ASSERT_OK(Connect()->Execute(
      "INSERT INTO hourglass.tenants (tenant_id, display_name, created_at) VALUES ('a', 'A', 0)"));
  const std::string before = DumpOfPostgresql();
  ExpectRefused(ToPostgresql(source_.path()).status(), "not empty: it has tenants a");
  ExpectUnchanged(before);
  ASSERT_OK(Fill(back_.path(), 2));
  const std::string of_target = DumpOfSqlite(back_.path());
  ExpectRefused(ToSqlite(back_.path()).status(), "not empty: it has tenants contoso");
  EXPECT_EQ(DumpOfSqlite(back_.path()), of_target);
  ASSERT_OK(OpenSqliteStore(SqliteStorePath(back_.path()))) << "it may be served on";
  // Control.
  ASSERT_OK(Connect()->Execute("DELETE FROM hourglass.tenants"));
  EXPECT_OK(ToPostgresql(source_.path()));
}

TEST_F(DatabasesTest, ATargetOnWhichAServiceWasTriedOutIsEmpty) {
  ASSERT_OK(Fill(source_.path(), 10));
  ASSERT_OK(Connect()->Execute(
      "INSERT INTO hourglass.time_marks VALUES ('berlin-9', 1, 'b', 2, true, 3, 4)"));
  ASSERT_OK(OpenPostgresqlStore(Service()));
  AwaitNoService();
  EXPECT_OK(ToPostgresql(source_.path()));
}

TEST_F(DatabasesTest, ATargetThatIsFilledFromAnotherSourceIsLeftAlone) {
  ASSERT_OK(Fill(source_.path(), 10));
  ASSERT_OK(Fill(back_.path(), 10));
  MoveOptions options;
  options.observer = [](const MoveProgress& progress) {
    if (progress.step == MoveProgress::Step::kComparing) kill(getpid(), SIGKILL);
  };
  const pid_t child = fork();
  if (child == 0) _exit(ToPostgresql(source_.path(), options).ok() ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ExpectRefused(ToPostgresql(back_.path()).status(),
                absl::StrCat("from another store, sqlite:", source_.path()));
  EXPECT_OK(ToPostgresql(source_.path()));
}

TEST_F(DatabasesTest, AServiceThatRunsIsNamed) {
  ASSERT_OK(Fill(source_.path(), 10));
  {
    ASSERT_OK_AND_ASSIGN(const auto service, OpenPostgresqlStore(Service()));
    ExpectRefused(ToPostgresql(source_.path()).status(), "in use by hourglass berlin-1");
  }
  AwaitNoService();
  ASSERT_OK(
      Connect()->Execute("INSERT INTO hourglass.replicas VALUES ('berlin-7', 'r', '1', 'a', 0, "
                         "hourglass.microseconds_now(), 0, 0)"));
  ExpectRefused(ToPostgresql(source_.path()).status(), "in use by hourglass berlin-7");
  ASSERT_OK(Connect()->Execute("UPDATE hourglass.replicas SET seen_at = seen_at - 16000000"));

  int told[2];
  ASSERT_EQ(pipe(told), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto store = OpenSqliteStore(SqliteStorePath(source_.path()));
    if (write(told[1], store.ok() ? "y" : "n", 1) == 1) {
      for (;;) pause();
    }
    _exit(1);
  }
  char answer = 0;
  ASSERT_EQ(read(told[0], &answer, 1), 1);
  ASSERT_EQ(answer, 'y');
  AwaitNoService();
  ExpectRefused(ToPostgresql(source_.path()).status(), absl::StrCat("process ", child));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  AwaitNoService();
  EXPECT_OK(ToPostgresql(source_.path()));
}

TEST_F(DatabasesTest, NobodyOpensASourceThatIsBeingMoved) {
  ASSERT_OK(Fill(source_.path(), 10));
  SqliteStoreOptions impatient;
  impatient.busy_timeout = std::chrono::milliseconds(10);
  {
    ASSERT_OK_AND_ASSIGN(const auto from, OpenSqliteSource(source_.path()));
    ExpectRefused(OpenSqliteStore(SqliteStorePath(source_.path()), impatient).status(), "locked");
  }
  ASSERT_OK(ToPostgresql(source_.path()));
  AwaitNoService();
  ASSERT_OK_AND_ASSIGN(const auto service, OpenPostgresqlStore(Service()));
  {
    // A service that slipped in cannot write.
    PostgresqlMoveOptions options = Owner();
    ExpectRefused(OpenPostgresqlSource(options).status(), "in use by");
  }
}

TEST_F(DatabasesTest, ADamagedSourceIsRefusedWithItsFile) {
  ASSERT_OK(Fill(source_.path(), 100));
  const std::string before = DumpOfPostgresql();
  const std::string segment = SqliteStorePath(source_.path()) + ".journal/00000001.sqlite";
  {
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096 * 2);
    file << std::string(4096, '\xa5');
  }
  const absl::Status status = ToPostgresql(source_.path()).status();
  ExpectRefused(status, segment);
  ExpectUnchanged(before);
}

TEST_F(DatabasesTest, ARecordThatPostgresqlCannotHoldIsNamedBeforeAnythingIsWritten) {
  ASSERT_OK(Fill(source_.path(), 10));
  const std::string before = DumpOfPostgresql();
  const auto change = [&](const std::string& sql) {
    const auto file =
        sqlite::Connection::Open(SqliteStorePath(source_.path()), std::chrono::seconds(1)).value();
    ASSERT_OK(file->Execute(sql));
  };
  change("UPDATE devices SET reported_by = CAST(x'ff' AS TEXT) WHERE tenant_id = 'fabrikam'");
  ExpectRefused(ToPostgresql(source_.path()).status(),
                "devices fabrikam/laptop-1 cannot be moved: reported_by is not UTF-8");
  ExpectUnchanged(before);
  EXPECT_EQ(Connect()->QueryInteger("SELECT count(*) FROM hourglass.store_move").value(), 0);
  change("UPDATE devices SET reported_by = 'mdm' WHERE tenant_id = 'fabrikam'");
  AwaitNoService();
  EXPECT_OK(ToPostgresql(source_.path()));
}

TEST_F(DatabasesTest, ADryRunChangesNothing) {
  ASSERT_OK(Fill(source_.path(), 10));
  const std::string before = DumpOfPostgresql();
  MoveOptions dry;
  dry.dry_run = true;
  ASSERT_OK_AND_ASSIGN(const MoveReport planned, ToPostgresql(source_.path(), dry));
  ExpectUnchanged(before);
  EXPECT_OK(OpenSqliteStore(SqliteStorePath(source_.path())));
  AwaitNoService();
  ASSERT_OK_AND_ASSIGN(const MoveReport done, ToPostgresql(source_.path()));
  EXPECT_EQ(planned.sha256, done.sha256);
  EXPECT_EQ(planned.counts, done.counts);
  AwaitNoService();
  ASSERT_OK(ToSqlite(back_.path(), dry));
  EXPECT_TRUE(std::filesystem::is_empty(back_.path()));
}

TEST_F(DatabasesTest, WhatDiffersIsNamedAndBothStayUnserved) {
  ASSERT_OK(Fill(source_.path(), 30));
  MoveOptions options;
  options.portion = 10;
  // Somebody changes a record of the target once it was written.
  options.observer = [&](const MoveProgress& progress) {
    if (progress.step != MoveProgress::Step::kWriting || progress.done != progress.total) return;
    ASSERT_OK(
        Connect()->Execute("UPDATE hourglass.devices SET reported_by = 'somebody' "
                           "WHERE tenant_id = 'fabrikam'"));
  };
  ExpectRefused(ToPostgresql(source_.path(), options).status(),
                "devices fabrikam/laptop-1 has another reported_by");
  AwaitNoService();
  ExpectRefused(OpenPostgresqlStore(Service()).status(), "half moved");
  EXPECT_OK(OpenSqliteStore(SqliteStorePath(source_.path()))) << "the source is as it was";
  AwaitNoService();
  ASSERT_OK(
      Connect()->Execute("UPDATE hourglass.devices SET reported_by = 'mdm' "
                         "WHERE tenant_id = 'fabrikam'"));
  EXPECT_OK(ToPostgresql(source_.path()));
}

TEST_F(DatabasesTest, TheDatabaseMustBeOursAndTheRoleItsOwner) {
  ASSERT_OK(Fill(source_.path(), 10));
  PostgresqlMoveOptions options = Owner();
  options.connection.password = "wrong";
  ExpectRefused(OpenPostgresqlTarget(options).status(), "password authentication failed");
  options = Owner();
  options.connection.user = "service";
  options.connection.password = cluster_.ServiceOf(database_).password;
  ExpectRefused(OpenPostgresqlTarget(options).status(), "--owner owner");
  options = Owner();
  options.demands.synchronous_standby = true;
  ExpectRefused(OpenPostgresqlTarget(options).status(), "synchronous_standby_names");
  options = Owner();
  options.connection.database = cluster_.CreateDatabase().value();
  ExpectRefused(OpenPostgresqlTarget(options).status(), "store prepare");
  ASSERT_OK(postgresql::Connection::Open(options.connection)
                .value()
                ->Execute("CREATE SCHEMA hourglass; CREATE TABLE hourglass.times (at bigint)"));
  ExpectRefused(OpenPostgresqlTarget(options).status(), "another application");
  ASSERT_OK_AND_ASSIGN(const auto mover, OpenPostgresqlTarget(Owner()));
  ExpectRefused(OpenPostgresqlTarget(Owner()).status(), "another `hourglass store move`");
}

TEST_F(DatabasesTest, ASourceMustBeThereAndATargetOurs) {
  ExpectRefused(OpenSqliteSource(source_.path()).status(), "there is no store");
  ExpectRefused(OpenSqliteTarget(source_.path() + "/nothing").status(), "there is no folder");
  const std::string path = source_.Write("hourglass.sqlite", "");
  const auto file = sqlite::Connection::Open(path, std::chrono::seconds(1)).value();
  ASSERT_OK(file->Execute("CREATE TABLE times (at INTEGER); PRAGMA application_id = 7"));
  ExpectRefused(OpenSqliteTarget(source_.path()).status(), "belongs to another program");
  ExpectRefused(OpenSqliteSource(source_.path()).status(), "belongs to another program");
}

TEST_F(DatabasesTest, ADiskThatFillsUpIsSaidAndTheMoveGoesOnOnceThereIsRoom) {
  ASSERT_OK(Fill(source_.path(), 2000));
  const std::string before = DumpOfSqlite(source_.path());
  ASSERT_OK(ToPostgresql(source_.path()));
  AwaitNoService();
  const pid_t child = fork();
  if (child == 0) {
    // No file may grow beyond that.
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {600'000, 600'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    SqliteStoreOptions one_segment;
    const auto from = OpenPostgresqlSource(Owner());
    const auto to = OpenSqliteTarget(back_.path(), one_segment);
    if (!from.ok() || !to.ok()) _exit(2);
    const absl::Status status = MoveStore(**from, **to, {}).status();
    const bool is_said = ReasonOf(status) == ErrorReason::kJournalUnavailable &&
                         status.message().find("the disk is full") != absl::string_view::npos;
    _exit(is_said ? 0 : 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  AwaitNoService();
  ASSERT_OK_AND_ASSIGN(const MoveReport report, ToSqlite(back_.path()));
  EXPECT_GT(report.found, 0);
  EXPECT_EQ(DumpOfSqlite(back_.path()), before);
}

}  // namespace
}  // namespace hourglass::issuance
