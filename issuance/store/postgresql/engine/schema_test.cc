#include "issuance/store/postgresql/engine/schema.h"

#include <thread>
#include <vector>

#include "tests/support/postgresql_cluster.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance::postgresql {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SchemaTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(database_, cluster_.CreateDatabase());
    ASSERT_OK_AND_ASSIGN(owner_, Connection::Open(cluster_.OwnerOf(database_)));
    ASSERT_OK_AND_ASSIGN(service_, Connection::Open(cluster_.ServiceOf(database_)));
    next_.assign(Migrations().begin(), Migrations().end());
  }
  absl::Status Prepare() { return PrepareSchema(*owner_, "service", Migrations()); }
  // The schema of a program to come, whose programs are of this version at least.
  absl::Status PrepareNext(std::int64_t oldest_program) {
    next_.push_back({"CREATE TABLE later (id bigint)", oldest_program});
    return PrepareSchema(*owner_, "service", next_);
  }
  static void ExpectRefused(const absl::Status& status, const char* says) {
    EXPECT_THAT(status, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(status.message()), HasSubstr(says));
  }

  PostgresqlCluster& cluster_ = PostgresqlCluster::Shared();
  std::string database_;
  std::unique_ptr<Connection> owner_, service_;
  std::vector<Migration> next_;
};

TEST_F(SchemaTest, IsMadeOnceAndThenFit) {
  ExpectRefused(CheckSchema(*service_, Migrations()), "there is no schema");
  ASSERT_OK(Prepare());
  EXPECT_OK(CheckSchema(*service_, Migrations()));
  ASSERT_OK(
      owner_->Change("INSERT INTO tenants (tenant_id, display_name, created_at, "
                     "root_name_key) VALUES ('a', 'a', 0, 'a')"));
  ASSERT_OK(Prepare());
  EXPECT_OK(CheckSchema(*service_, Migrations()));
  ASSERT_OK_AND_ASSIGN(const std::int64_t tenants,
                       service_->QueryInteger("SELECT count(*) FROM tenants"));
  EXPECT_EQ(tenants, 1);
  ASSERT_OK_AND_ASSIGN(const std::int64_t steps,
                       owner_->QueryInteger("SELECT count(*) FROM schema_versions"));
  EXPECT_EQ(steps, static_cast<std::int64_t>(Migrations().size()));
}

TEST_F(SchemaTest, IsMadeByOneProgramAtATime) {
  constexpr int kPrograms = 4;
  std::vector<absl::Status> statuses(kPrograms);
  std::vector<std::thread> programs;
  for (absl::Status& status : statuses) {
    programs.emplace_back([&] {
      const auto owner = Connection::Open(cluster_.OwnerOf(database_));
      status = owner.ok() ? PrepareSchema(**owner, "service", Migrations()) : owner.status();
    });
  }
  for (std::thread& program : programs) program.join();
  for (const absl::Status& status : statuses) EXPECT_OK(status);
  EXPECT_OK(CheckSchema(*service_, Migrations()));
}

TEST_F(SchemaTest, IsMadeInASchemaThatWaitsEmpty) {
  ASSERT_OK(owner_->Execute("CREATE SCHEMA hourglass"));
  ExpectRefused(CheckSchema(*service_, Migrations()), "there is no schema");
  ASSERT_OK(Prepare());
  EXPECT_OK(CheckSchema(*service_, Migrations()));
}

TEST_F(SchemaTest, LeavesNothingOfAStepThatFails) {
  const Migration broken[] = {{"CREATE TABLE a (id bigint); SELECT nothing", 1}};
  EXPECT_THAT(PrepareSchema(*owner_, "service", broken), FailsWith(ErrorReason::kInternalError));
  ASSERT_OK_AND_ASSIGN(
      const std::int64_t left,
      owner_->QueryInteger("SELECT count(*) FROM pg_namespace WHERE nspname = 'hourglass'"));
  EXPECT_EQ(left, 0);
  EXPECT_OK(Prepare());
}

TEST_F(SchemaTest, OfAnotherApplicationIsLeftAlone) {
  for (const char* sql :
       {"CREATE SCHEMA hourglass; CREATE TABLE hourglass.times (at bigint)",
        "DROP TABLE hourglass.times; CREATE TABLE hourglass.schema_versions (version bigint)",
        "ALTER TABLE hourglass.schema_versions ADD application text, ADD oldest_program bigint",
        "INSERT INTO hourglass.schema_versions VALUES (1, 'sandglass', 1)"}) {
    ASSERT_OK(owner_->Execute(sql));
    ExpectRefused(CheckSchema(*owner_, Migrations()), "another application");
    ExpectRefused(Prepare(), "another application");
  }
  // Control: with our mark it is ours.
  ASSERT_OK(owner_->Execute(
      "UPDATE hourglass.schema_versions SET application = 'hourglass certificate authority'"));
  EXPECT_OK(CheckSchema(*owner_, Migrations().first(1)));
}

TEST_F(SchemaTest, NewerOneThatLeavesThisProgramOutIsRefused) {
  ASSERT_OK(Prepare());
  ASSERT_OK(owner_->Execute("SET application_name = 'hourglass store prepare'"));
  service_.reset();
  ASSERT_OK(WaitUntilTrue(*owner_,
                          "SELECT count(*) = 0 FROM pg_stat_activity WHERE usename = 'service' AND "
                          "datname = current_database()"));
  const std::int64_t version = static_cast<std::int64_t>(Migrations().size()) + 1;
  ASSERT_OK(PrepareNext(version));
  ExpectRefused(CheckSchema(*owner_, Migrations()), "run a newer hourglass");
  ExpectRefused(Prepare(), "run a newer hourglass");
  EXPECT_OK(CheckSchema(*owner_, next_));
}

TEST_F(SchemaTest, NewerOneThatAllowsThisProgramIsUsedAndLeftAsItIs) {
  ASSERT_OK(Prepare());
  // Programs that run go on.
  ASSERT_OK(PrepareNext(1));
  EXPECT_OK(CheckSchema(*service_, Migrations()));
  EXPECT_OK(CheckSchema(*service_, next_));
  ASSERT_OK(owner_->Execute("GRANT SELECT ON later TO service"));
  ASSERT_OK(Prepare());
  // What this program knows nothing of is still granted.
  EXPECT_OK(service_->Query("SELECT id FROM later"));
}

TEST_F(SchemaTest, OlderOneIsRefusedUntilItIsUpgraded) {
  ASSERT_OK(Prepare());
  next_.push_back({"CREATE TABLE later (id bigint)", 1});
  ExpectRefused(CheckSchema(*service_, next_), "upgrades it");
  ASSERT_OK(PrepareSchema(*owner_, "service", next_));
  EXPECT_OK(CheckSchema(*service_, next_));
}

TEST_F(SchemaTest, AStepThatLeavesProgramsOutWaitsUntilTheyAreStopped) {
  ASSERT_OK(Prepare());
  ASSERT_OK(service_->Execute("SET application_name = 'hourglass replica-7'"));
  const std::int64_t version = static_cast<std::int64_t>(Migrations().size()) + 1;
  const absl::Status status = PrepareNext(version);
  ExpectRefused(status, "hourglass replica-7");
  EXPECT_OK(CheckSchema(*service_, Migrations()));
  // Other programs do not matter.
  ASSERT_OK(service_->Execute("SET application_name = 'psql'"));
  EXPECT_OK(PrepareSchema(*owner_, "service", next_));
}

TEST_F(SchemaTest, AProgramThatBringsAllElsewhereMustKnowAll) {
  ASSERT_OK(Prepare());
  EXPECT_OK(CheckSchemaIsKnown(*owner_, Migrations()));
  ASSERT_OK(PrepareNext(1));
  EXPECT_OK(CheckSchema(*owner_, Migrations()));
  ExpectRefused(CheckSchemaIsKnown(*owner_, Migrations()), "run a newer hourglass");
  EXPECT_OK(CheckSchemaIsKnown(*owner_, next_));
  next_.push_back({"CREATE TABLE much_later (id bigint)", 1});
  ExpectRefused(CheckSchemaIsKnown(*owner_, next_), "upgrades it");
}

constexpr char kSomebodyWaitsForATable[] =
    "SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT "
    "granted "
    "AND locktype = 'relation' AND mode = 'AccessExclusiveLock' AND datname = current_database()";

TEST_F(SchemaTest, NobodyWaitsLongBehindAStepThatWaitsForATable) {
  ASSERT_OK(Prepare());
  ASSERT_OK_AND_ASSIGN(const auto reader, Connection::Open(cluster_.ServiceOf(database_)));
  ASSERT_OK(reader->Execute("BEGIN; SELECT FROM tenants"));
  next_.push_back({"ALTER TABLE tenants ADD later text", 1});
  absl::Status prepared;
  std::thread preparing([&] { prepared = PrepareSchema(*owner_, "service", next_); });
  EXPECT_OK(WaitUntilTrue(*service_, kSomebodyWaitsForATable));
  // While the reader still has it.
  EXPECT_OK(service_->Execute("SET lock_timeout = '5s'; SELECT FROM tenants"));
  EXPECT_OK(reader->Execute("COMMIT"));
  preparing.join();
  EXPECT_OK(prepared);
  EXPECT_OK(CheckSchema(*service_, next_));
}

TEST_F(SchemaTest, AStepWhoseTablesAreInUseAllTheTimeIsGivenUp) {
  ASSERT_OK(Prepare());
  ASSERT_OK(service_->Execute("BEGIN; SELECT FROM tenants"));
  next_.push_back({"CREATE TABLE later (id bigint); ALTER TABLE tenants ADD later text", 1});
  ExpectRefused(PrepareSchema(*owner_, "service", next_), "used without a pause");
  ASSERT_OK(service_->Execute("COMMIT"));
  ExpectRefused(CheckSchema(*service_, next_), "upgrades it");
  ASSERT_OK(PrepareSchema(*owner_, "service", next_)) << "nothing was left";
}

TEST_F(SchemaTest, WhoStartsBesideAStepThatLeavesItOutReadsWhatTheStepMade) {
  ASSERT_OK(Prepare());
  // As if it had connected after the step had looked who is there.
  ASSERT_OK(service_->Execute("SET application_name = 'psql'"));
  const std::int64_t version = static_cast<std::int64_t>(Migrations().size()) + 1;
  next_.push_back({"SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7)", version});
  ASSERT_OK_AND_ASSIGN(const auto other, Connection::Open(cluster_.OwnerOf(database_)));
  ASSERT_OK(other->Execute("SELECT pg_advisory_lock(7)"));
  absl::Status prepared, started;
  std::thread preparing([&] { prepared = PrepareSchema(*owner_, "service", next_); });
  EXPECT_OK(WaitUntilTrue(*other,
                          "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND "
                          "objid = 7 AND NOT granted"));
  std::thread starting([&] { started = CheckSchema(*service_, Migrations()); });
  EXPECT_OK(WaitUntilTrue(*other,
                          "SELECT count(*) > 0 FROM pg_locks WHERE relation = "
                          "'hourglass.schema_versions'::regclass AND NOT granted"));
  EXPECT_OK(other->Execute("SELECT pg_advisory_unlock(7)"));
  preparing.join();
  starting.join();
  EXPECT_OK(prepared);
  ExpectRefused(started, "run a newer hourglass");
}

// Of version 1: its programs know nothing of blocks.
TEST_F(SchemaTest, VersionOneIsUpgradedOnceItsProgramsAreStopped) {
  ASSERT_OK(PrepareSchema(*owner_, "service", Migrations().first(1)));
  ASSERT_OK(
      owner_->Execute("INSERT INTO tenants (tenant_id, display_name, created_at, root_name_key) "
                      "VALUES ('a', 'a', 0, 'a')"));
  ExpectRefused(CheckSchema(*service_, Migrations()), "upgrades it");
  ASSERT_OK(service_->Execute("SET application_name = 'hourglass replica-7'"));
  ExpectRefused(Prepare(), "hourglass replica-7");
  EXPECT_OK(CheckSchema(*service_, Migrations().first(1))) << "they go on";
  ASSERT_OK(service_->Execute("SET application_name = 'psql'"));
  ASSERT_OK(Prepare());
  EXPECT_OK(CheckSchema(*service_, Migrations()));
  ExpectRefused(CheckSchema(*service_, Migrations().first(1)), "run a newer hourglass");
  ASSERT_OK_AND_ASSIGN(const std::int64_t kept,
                       service_->QueryInteger("SELECT count(*) FROM tenants WHERE tenant_id = 'a' "
                                              "AND policy_revision = 0"));
  EXPECT_EQ(kept, 1);
}

// Of version 2: what its programs write says nothing of whose word counted.
TEST_F(SchemaTest, VersionTwoIsUpgradedWhileItsProgramsRun) {
  ASSERT_OK(PrepareSchema(*owner_, "service", Migrations().first(2)));
  ASSERT_OK(service_->Execute("SET application_name = 'hourglass replica-7'"));
  const std::string partitions =
      "SELECT make_journal_partition(0, 3600000000);"
      "SELECT make_journal_partition(microseconds_now(), 3600000000);";
  const std::string intent =
      "INSERT INTO intents (sequence, tenant_id, epoch, root_id, request_id, request_digest, "
      "caller, user_id, user_upn, folded_upn, device_id, verdict_id, policy_version, "
      "verdict_evaluated_at, serial_number, not_before, not_after, tbs_certificate, "
      "intermediate_serial_number, intended_at) SELECT nextval('intent_sequence'), 'a', 1, 'r', "
      "'q', '', '', '', '', '', '', '', '', 0, '', 0, 0, '', '', microseconds_now();";
  ASSERT_OK(owner_->Execute(partitions + intent + "SELECT drop_journal_before(7200000000)"));
  ASSERT_OK(PrepareSchema(*owner_, "service", Migrations().first(4)));
  EXPECT_OK(CheckSchema(*service_, Migrations().first(2))) << "they go on";
  ASSERT_OK(owner_->Execute(intent));
  ASSERT_OK_AND_ASSIGN(const std::int64_t kept,
                       service_->QueryInteger("SELECT count(*) FROM intents WHERE identity = '' "
                                              "AND token_issuer = '' AND token_id = ''"));
  EXPECT_EQ(kept, 2);
  // What was dropped can be attached again.
  ASSERT_OK(owner_->Execute(
      "ALTER TABLE hourglass_dropped.intents_1 SET SCHEMA hourglass;"
      "ALTER TABLE intents ATTACH PARTITION intents_1 FOR VALUES FROM (0) TO (3600000000)"));
}

// Of version 4: its programs would issue to devices with a key whatever they have signed.
TEST_F(SchemaTest, VersionFourIsUpgradedOnceItsProgramsAreStopped) {
  ASSERT_OK(PrepareSchema(*owner_, "service", Migrations().first(4)));
  ASSERT_OK(service_->Execute("SET application_name = 'hourglass replica-7'"));
  ExpectRefused(Prepare(), "hourglass replica-7");
  EXPECT_OK(CheckSchema(*service_, Migrations().first(4))) << "they go on";
  ASSERT_OK(service_->Execute("SET application_name = 'psql'"));
  ASSERT_OK(Prepare());
  EXPECT_OK(CheckSchema(*service_, Migrations()));
  ExpectRefused(CheckSchema(*service_, Migrations().first(4)), "run a newer hourglass");
}

TEST_F(SchemaTest, IsPreparedByItsOwnerAlone) {
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  ExpectRefused(PrepareSchema(*service_, "owner", Migrations()), "may not make a schema");
  ASSERT_OK(Prepare());
  ExpectRefused(PrepareSchema(*service_, "owner", Migrations()), "belongs to owner");
  ExpectRefused(PrepareSchema(*superuser, "service", Migrations()), "belongs to owner");
}

TEST_F(SchemaTest, IsForAServiceThatCannotDoWhatTheOwnerCan) {
  ExpectRefused(PrepareSchema(*owner_, "nosuch", Migrations()), "there is no role nosuch");
  ExpectRefused(PrepareSchema(*owner_, "owner", Migrations()), "must be another");
  ExpectRefused(PrepareSchema(*owner_, "postgres", Migrations()), "must be another");
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  ASSERT_OK(superuser->Execute("CREATE ROLE deputy IN ROLE owner"));
  ExpectRefused(PrepareSchema(*owner_, "deputy", Migrations()), "must be another");
}

TEST_F(SchemaTest, TellsARoleThatWasNotNamed) {
  ASSERT_OK(Prepare());
  ASSERT_OK_AND_ASSIGN(const auto superuser, Connection::Open(cluster_.SuperuserOf(database_)));
  ASSERT_OK(superuser->Execute("CREATE ROLE \"other \"\"role\"\"\" LOGIN PASSWORD 'other-secret'"));
  ConnectionParameters parameters = cluster_.ServiceOf(database_);
  parameters.user = "other \"role\"";
  parameters.password = "other-secret";
  ASSERT_OK_AND_ASSIGN(const auto other, Connection::Open(parameters));
  ExpectRefused(CheckSchema(*other, Migrations()), "may not use the schema");
  ASSERT_OK(PrepareSchema(*owner_, parameters.user, Migrations()));
  EXPECT_OK(CheckSchema(*other, Migrations()));
}

TEST_F(SchemaTest, GivesTheServiceWhatItNeedsAndNoMore) {
  ASSERT_OK(Prepare());
  // What somebody granted by hand goes.
  ASSERT_OK(
      owner_->Execute("GRANT ALL ON intents, tenants TO service; GRANT ALL ON releases TO "
                      "PUBLIC"));
  ASSERT_OK(Prepare());
  for (const char* sql :
       {("INSERT INTO tenants (tenant_id, display_name, created_at, root_name_key) VALUES ('a', "
         "'a', 0, 'a')"),
        "UPDATE tenants SET epoch = 1", "INSERT INTO devices VALUES ('a', 'd', '', 0, '')",
        "DELETE FROM devices",
        ("INSERT INTO administrative_actions (tenant_id, at, caller, action, subject, from_state, "
         "to_state, reason, overrides) VALUES ('a', 0, '', '', '', '', '', '', false)"),
        "INSERT INTO journal_keys VALUES ('a', 'q', 'r', '', 1, 0, 0, nextval('intent_sequence'))",
        "SELECT nextval('writer_sequence'), count(*) FROM intents",
        "INSERT INTO policy_versions VALUES ('a', 'p', 1, false, '', '', '', 0, '', '', '')",
        "INSERT INTO policies VALUES ('a', 'p', 1)", "DELETE FROM policies",
        "INSERT INTO blocks VALUES ('a', 'device', 'd', 'd', '', '', 0, NULL)",
        "DELETE FROM blocks", "DELETE FROM directory_users",
        "INSERT INTO device_keys VALUES ('a', 'k', 'd', 'd', 'pending', '', 0, '', NULL, '', '', "
        "NULL, '', '', false)",
        "UPDATE device_keys SET state = 'approved', approved_at = 1",
        "SELECT minimum_retention FROM journal_settings"}) {
    EXPECT_OK(service_->Query(sql)) << sql;
  }
  for (const char* sql : {"UPDATE intents SET caller = ''",
                          "DELETE FROM intents",
                          "TRUNCATE intents",
                          "UPDATE releases SET certificate = ''",
                          "DELETE FROM releases",
                          "DELETE FROM journal_keys",
                          "UPDATE journal_keys SET epoch = 0",
                          "UPDATE administrative_actions SET caller = ''",
                          "DELETE FROM administrative_actions",
                          "UPDATE policy_versions SET document = ''",
                          "DELETE FROM policy_versions",
                          "TRUNCATE blocks",
                          "DELETE FROM device_keys",
                          "UPDATE journal_settings SET minimum_retention = 0",
                          "INSERT INTO schema_versions VALUES ('', 9, 9)",
                          "DELETE FROM tenants",
                          "TRUNCATE tenants",
                          "DROP TABLE intents",
                          "CREATE TABLE mine (id bigint)",
                          "ALTER TABLE intents ADD mine bigint",
                          "SELECT setval('intent_sequence', 1)"}) {
    const auto refused = service_->Query(sql);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kInternalError)) << sql;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("42501")) << sql;
  }
}

TEST_F(SchemaTest, GivesNothingOnTablesToCome) {
  ASSERT_OK(Prepare());
  ASSERT_OK(owner_->Execute("CREATE TABLE later (id bigint)"));
  const auto refused = service_->Query("SELECT id FROM later");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(std::string(refused.status().message()),
              AllOf(HasSubstr("42501"), Not(HasSubstr("42P01"))));
}

TEST_F(SchemaTest, ComparesByOctetsWhateverTheDatabasesLocale) {
  ASSERT_OK(Prepare());
  ASSERT_OK_AND_ASSIGN(
      const std::int64_t of_columns,
      owner_->QueryInteger(
          "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid "
          "JOIN pg_collation l ON l.oid = a.attcollation WHERE relnamespace = "
          "'hourglass'::regnamespace AND relkind IN ('r', 'p') AND relname <> "
          "'schema_versions' AND collname <> 'C'"));
  EXPECT_EQ(of_columns, 0);
}

}  // namespace
}  // namespace hourglass::issuance::postgresql
