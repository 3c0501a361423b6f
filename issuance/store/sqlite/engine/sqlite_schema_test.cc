#include "issuance/store/sqlite/engine/sqlite_schema.h"

#include <gmock/gmock.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance::sqlite {
namespace {

using testing::HasSubstr;

class SqliteSchemaTest : public testing::Test {
 protected:
  std::unique_ptr<Connection> Connect() {
    auto connection = Connection::Open(path_, std::chrono::milliseconds(60000)).value();
    // No test here ends the machine.
    EXPECT_OK(connection->Execute("PRAGMA synchronous = OFF"));
    return connection;
  }
  std::int64_t Integer(absl::string_view sql) { return Connect()->QueryInteger(sql).value(); }
  std::int64_t Version() { return Integer("PRAGMA user_version"); }

  // Everything that the schema is made of.
  std::string Schema() {
    const std::unique_ptr<Connection> connection = Connect();
    Rows rows = connection->Query("SELECT sql FROM sqlite_schema ORDER BY name").value();
    std::string schema;
    while (rows.Next().value()) absl::StrAppend(&schema, rows.TakeOctets(), ";\n");
    return schema;
  }

  // A new file of this version of the schema, with what `sql` adds.
  void Make(std::size_t version, const std::string& sql = "") {
    directory_.Write("hourglass.db", "");
    const std::unique_ptr<Connection> connection = Connect();
    ASSERT_OK(connection->Execute("PRAGMA foreign_keys = ON"));
    ASSERT_OK(Migrate(*connection, Migrations().first(version)));
    ASSERT_OK(connection->Execute(sql));
  }

  const TemporaryDirectory directory_;
  const std::string path_ = directory_.Write("hourglass.db", "");
  const std::size_t newest_ = Migrations().size();
};

// What a later version of the program might add.
std::vector<absl::string_view> WithOneMore(absl::string_view migration) {
  std::vector<absl::string_view> migrations(Migrations().begin(), Migrations().end());
  migrations.push_back(migration);
  return migrations;
}

TEST_F(SqliteSchemaTest, LeadsFromAnEmptyFileToTheNewest) {
  ASSERT_OK(Migrate(*Connect(), Migrations()));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(Migrations().size()));
  EXPECT_EQ(Integer("PRAGMA application_id"), 0x48474c53) << "HGLS";
  const std::string before = Schema();
  EXPECT_OK(Migrate(*Connect(), Migrations())) << "a second time";
  EXPECT_EQ(Schema(), before);
}

TEST_F(SqliteSchemaTest, LeadsFromEachVersionToTheNewestAndKeepsWhatIsThere) {
  const std::vector<absl::string_view> migrations =
      WithOneMore("ALTER TABLE tenants ADD COLUMN note TEXT NOT NULL DEFAULT 'none'");
  for (std::size_t from = 1; from < migrations.size(); ++from) {
    directory_.Write("hourglass.db", "");
    ASSERT_OK(Migrate(*Connect(), absl::MakeConstSpan(migrations).first(from)));
    ASSERT_OK(Connect()->Execute(
        "INSERT INTO tenants (tenant_id, display_name, created_at, epoch, revision, "
        "last_generation) VALUES ('contoso', 'Contoso', 1, 2, 3, 4)"));
    ASSERT_OK(Migrate(*Connect(), migrations));
    EXPECT_EQ(Version(), static_cast<std::int64_t>(migrations.size()));
    const std::unique_ptr<Connection> connection = Connect();
    EXPECT_EQ(connection->QueryInteger("SELECT epoch FROM tenants WHERE note = 'none'").value(), 2);
  }
}

TEST_F(SqliteSchemaTest, StopsWhereItIsToldTo) {
  for (std::size_t up_to = 0; up_to <= newest_; ++up_to) {
    ASSERT_OK(Migrate(*Connect(), Migrations(), up_to));
    EXPECT_EQ(Version(), static_cast<std::int64_t>(up_to));
    ASSERT_OK(Migrate(*Connect(), Migrations(), up_to == 0 ? 0 : up_to - 1));
    EXPECT_EQ(Version(), static_cast<std::int64_t>(up_to)) << "it never goes back";
  }
  EXPECT_OK(Migrate(*Connect(), Migrations(), newest_ + 1));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(newest_));
}

TEST_F(SqliteSchemaTest, VersionsThatOthersKnowAreWhatTheySay) {
  const auto has = [this](const std::string& name) {
    return Integer(absl::StrCat("SELECT count(*) FROM sqlite_schema WHERE name = '", name, "'"));
  };
  constexpr char kChecksums[] =
      "SELECT count(*) FROM pragma_table_info('journal_key_runs') WHERE name = 'checksum'";
  Make(kVersionWithOldJournal - 1);
  EXPECT_EQ(has("journal_catalog"), 0);
  Make(kVersionWithOldJournal);
  EXPECT_EQ(has("journal_catalog") + has("old_intents") + has("old_releases"), 3);
  EXPECT_EQ(has("intents") + has("releases"), 0) << "an older program finds no table to write to";
  Make(kVersionWithChecksums - 1);
  EXPECT_EQ(has("old_intents") + has("old_releases"), 0);
  EXPECT_EQ(Integer(kChecksums), 0);
  Make(kVersionWithChecksums);
  EXPECT_EQ(Integer(kChecksums), 1);
}

// A row of each table of version 1 but the journal's.
constexpr char kOfVersion1[] = R"sql(
INSERT INTO tenants (tenant_id, display_name, created_at, epoch, revision, last_generation)
  VALUES ('contoso', 'Contoso', 1, 2, 3, 4);
INSERT INTO roots (tenant_id, root_id, generation, state, key_type, key_uri, key_made_for_root,
  certificate, not_before, not_after, created_at, state_since, last_leaf_not_after, request_id)
  VALUES ('contoso', 'r1', 1, 'PRIMARY', 'ec-p256', 'software:r1', 1, x'3000', 100, 90000, 5, 6,
    8000, 'create-1'),
  ('contoso', 'r2', 2, 'STAGED', 'ec-p256', 'software:r2', 0, x'3001', 100, 90000, 5, 6, NULL, '');
INSERT INTO devices VALUES ('contoso', 'd-1', x'00ff', 1, 'inventory');
)sql";

TEST_F(SqliteSchemaTest, RowsOfEachVersionGetWhatIsNew) {
  const std::string of_version2 =
      "INSERT INTO planned_keys (key_uri, tenant_id, generation) VALUES ('soft:p', 'contoso', 3);";
  const std::string of_version3 =
      "INSERT INTO intermediates VALUES (5, 'contoso', 2, 'r1', x'01', 'rsa-3072', 1, 2, x'30', 7, "
      "NULL, NULL);";
  const std::string of_version4 =
      "UPDATE journal_catalog SET version = 9;"
      "INSERT INTO journal_segments VALUES (1, 'INDEXED', 1, 4, 5, 6, 7), (2, 'ACTIVE', 5, 0, 0, "
      "0, 0);"
      "INSERT INTO journal_key_runs (number, first_segment, last_segment) VALUES (8, 1, 1);"
      "INSERT INTO late_releases VALUES (4, x'ff', 3);";
  std::string sql = kOfVersion1;
  for (std::size_t from = 1; from <= newest_ - 1; ++from) {
    if (from == 2) sql += of_version2;
    if (from == 3) sql += of_version3;
    if (from == 4) sql += of_version4;
    Make(from, sql);
    ASSERT_OK(Migrate(*Connect(), Migrations()));
    EXPECT_EQ(Integer("SELECT count(*) FROM tenants WHERE tenant_id = 'contoso' AND display_name = "
                      "'Contoso' AND created_at = 1 AND epoch = 2 AND revision = 3 AND "
                      "last_generation = 4 AND root_name_key IS NULL AND policy_revision = 0"),
              1);
    EXPECT_EQ(Integer("SELECT sum(last_leaf_not_after IS 8000) + 2 * sum(state = 'PRIMARY') FROM "
                      "roots WHERE key_destroyed_at IS NULL"),
              3);
    EXPECT_EQ(Integer(absl::StrCat("SELECT count(*) FROM roots WHERE created_by = '' AND "
                                   "state_revision = ",
                                   from < 9 ? "generation + 1" : "0",
                                   " AND bundle_version = ", from < 8 ? 3 : 0)),
              2)
        << "in the bundle as it is, in their order";
    EXPECT_EQ(Integer("SELECT count(*) FROM devices WHERE state = x'00ff'"), 1);
    EXPECT_EQ(Integer("SELECT count(*) FROM planned_keys WHERE generation = 3 AND "
                      "typeof(public_key) = 'blob' AND public_key = x'' AND condemned = 0"),
              from >= 2 ? 1 : 0);
    EXPECT_EQ(Integer("SELECT count(*) FROM intermediates WHERE sequence = 5"), from >= 3 ? 1 : 0);
    EXPECT_EQ(Integer("SELECT version FROM journal_catalog"), from >= 4 ? 9 : 0);
    EXPECT_EQ(Integer("SELECT count(*) FROM journal_segments"), from >= 4 ? 2 : 0);
    EXPECT_EQ(Integer("SELECT count(*) FROM journal_key_runs WHERE number = 8 AND checksum IS "
                      "NULL"),
              from >= 4 ? 1 : 0);
    EXPECT_EQ(Integer("SELECT count(*) FROM late_releases"), from >= 4 ? 1 : 0);
    EXPECT_EQ(Integer("SELECT count(*) FROM pragma_foreign_key_check"), 0);
  }
}

TEST_F(SqliteSchemaTest, APlanIsCondemnedOnlyWhereItIsSaid) {
  constexpr char kCondemned[] =
      "SELECT count(*) FROM pragma_table_info('planned_keys') WHERE name = 'condemned'";
  Make(6);
  EXPECT_EQ(Integer(kCondemned), 0);
  Make(newest_, kOfVersion1);
  EXPECT_EQ(Integer(kCondemned), 1);
  ASSERT_OK(
      Connect()->Execute("INSERT INTO planned_keys (key_uri, tenant_id, generation) VALUES "
                         "('software:p', 'contoso', 3), ('software:q', 'contoso', 4);"
                         "UPDATE planned_keys SET condemned = 1 WHERE key_uri = 'software:q'"));
  EXPECT_EQ(Integer("SELECT condemned FROM planned_keys WHERE generation = 3"), 0);
  EXPECT_EQ(Integer("SELECT condemned FROM planned_keys WHERE generation = 4"), 1);
  const absl::Status refused = Connect()->Execute("UPDATE planned_keys SET condemned = NULL");
  EXPECT_THAT(refused, FailsWith(ErrorReason::kInternalError));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("NOT NULL constraint failed"));
}

// Records are moved by the program, before which their tables must not go.
TEST_F(SqliteSchemaTest, ARecordThatWasNotMovedHoldsTheFileAtItsVersion) {
  Make(1, kOfVersion1);
  ASSERT_OK(Connect()->Execute(
      "INSERT INTO intents VALUES (7, 'contoso', 2, 'r1', 'one', x'd1', 'broker', 'u-1', 'a', "
      "'d-1', 'v-1', '1', 10, x'0001', 4400, 8000, x'300100', 20)"));
  EXPECT_THAT(Migrate(*Connect(), Migrations()), FailsWith(ErrorReason::kInternalError));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(kVersionWithOldJournal));
  EXPECT_EQ(Integer("SELECT count(*) FROM old_intents WHERE sequence = 7 AND "
                    "intermediate_serial_number = x''"),
            1);
  ASSERT_OK(Connect()->Execute("DELETE FROM old_intents"));
  EXPECT_OK(Migrate(*Connect(), Migrations()));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(newest_));
}

TEST_F(SqliteSchemaTest, EachStoreHasAHashKeyOfItsOwn) {
  Make(newest_);
  EXPECT_EQ(Integer("SELECT length(hash_key) FROM journal_catalog"), 16);
  const std::unique_ptr<Connection> first = Connect();
  Rows rows = first->Query("SELECT hash_key FROM journal_catalog").value();
  ASSERT_OK(rows.Next());
  const std::string key = rows.TakeOctets();
  directory_.Write("other.db", "");
  const auto other =
      Connection::Open(directory_.File("other.db"), std::chrono::milliseconds(0)).value();
  ASSERT_OK(Migrate(*other, Migrations()));
  EXPECT_EQ(
      other->QueryInteger("SELECT count(*) FROM journal_catalog WHERE hash_key = ?", {Blob{key}})
          .value(),
      0);
}

TEST_F(SqliteSchemaTest, RefusesRowsThatNoProgramMayWrite) {
  Make(newest_, R"sql(
INSERT INTO tenants VALUES ('contoso', 'Contoso', 1, 2, 3, 4, 'contoso', 0);
INSERT INTO roots VALUES ('contoso', 'r1', 1, 'PRIMARY', 'ec-p256', 'u1', 1, x'', 1, 2, 3, 4, NULL,
  'create-1', NULL, 'administrator', 1, 1);
INSERT INTO journal_segments VALUES (1, 'ACTIVE', 1, 0, 0, 0, 0);
INSERT INTO relying_parties VALUES ('contoso', 'vpn', 'vpn-caller', '', 0, 1, x'00', 1, 'x', 1, 0,
  NULL);
INSERT INTO policy_versions VALUES ('contoso', 'p', 1, 0, 'named_location', 'P', '', 1, 'x', '',
  '{}');
INSERT INTO directory_users VALUES ('contoso', 'u', 'u', 'u@x', 'u@x', '', 0, 1, 1, 'x', '', '');
INSERT INTO blocks VALUES ('contoso', 'device', 'd', 'D', '', 'x', 1, NULL);
INSERT INTO device_keys VALUES ('contoso', 'k', 'D', 'd', 'approved', x'30', 1, 'x', 2, 'x', '',
  NULL, '', '', 0);
)sql");
  const std::string root = "INSERT INTO roots VALUES ('contoso', ";
  const std::string rest = ", 1, x'', 1, 2, 3, 4, NULL, ";
  const std::string intermediate =
      "INSERT INTO intermediates VALUES (NULL, 'contoso', 2, 'r1', x'01', 't', 1, 2, x'', 3, ";
  const std::string party = "INSERT INTO relying_parties VALUES ('contoso', ";
  const std::string action =
      ", 1, 'administrator', 'root_promoted', 'r1', 'STAGED', 'PRIMARY', '', ";
  const std::string user = "INSERT INTO directory_users VALUES ('contoso', ";
  const std::string of_user = ", '', 0, 1, 1, 'x', '', '')";
  const std::string block = "INSERT INTO blocks VALUES ('contoso', ";
  const std::string key = "INSERT INTO device_keys VALUES ('contoso', ";
  const std::string of_pending = ", 'pending', x'30', 1, 'x', NULL, '', '', NULL, '', '', 0)";
  const std::string of_approved = ", 'approved', x'30', 1, 'x', 2, 'x', '', NULL, '', '', 0)";
  const std::string version = "INSERT INTO policy_versions VALUES ('contoso', ";
  const std::string of_version = ", 0, 'named_location', 'P', '', 1, 'x', '', '{}')";
  const struct {
    std::string sql;
    const char* words;
  } kRefused[] = {
      {root + "'r2', 2, 'PRIMARY', 't', 'u2'" + rest + "'', NULL, '', 1, 1)", "UNIQUE"},
      {root + "'r2', 2, 'primary', 't', 'u2'" + rest + "'', NULL, '', 1, 1)", "CHECK"},
      {root + "'r2', 1, 'STAGED', 't', 'u2'" + rest + "'', NULL, '', 1, 1)", "UNIQUE"},
      {root + "'r1', 2, 'STAGED', 't', 'u2'" + rest + "'', NULL, '', 1, 1)", "UNIQUE"},
      {root + "'r2', 2, 'STAGED', 't', 'u1'" + rest + "'', NULL, '', 1, 1)", "UNIQUE"},
      {root + "'r2', 2, 'STAGED', 't', 'u2'" + rest + "'create-1', NULL, '', 1, 1)", "UNIQUE"},
      {"INSERT INTO tenants VALUES ('other', 'Other', 1, 2, 3, 4, 'contoso', 0)", "UNIQUE"},
      {"INSERT INTO tenants VALUES ('other', 'Other', 'x', 2, 3, 4, 'other', 0)",
       "cannot store TEXT"},
      {intermediate + "x'', NULL)", "CHECK"},
      {intermediate + "NULL, 4)", "CHECK"},
      {"INSERT INTO journal_segments VALUES (2, 'ACTIVE', 1, 0, 0, 0, 0)", "UNIQUE"},
      {"INSERT INTO journal_segments VALUES (2, 'GONE', 1, 0, 0, 0, 0)", "CHECK"},
      {"INSERT INTO journal_catalog VALUES (2, 0, x'')", "CHECK"},
      {"INSERT INTO wal_tie VALUES (2, x'', x'')", "CHECK"},
      {party + "'vpn', 'other', '', 0, 0, x'', NULL, '', 1, 0, NULL)", "UNIQUE"},
      {party + "'nps', 'vpn-caller', '', 0, 0, x'', NULL, '', 1, 0, NULL)", "UNIQUE"},
      {party + "'nps', '', '', 1, 0, x'', 1, '', 1, 0, NULL)", "CHECK"},
      {party + "'nps', '', '', 1, 1, x'', NULL, '', 1, 0, NULL)", "CHECK"},
      {party + "'nps', '', '', 1, 0, '', NULL, '', 1, 0, NULL)", "cannot store TEXT"},
      {party + "'nps', '', '', 1, 0, x'', NULL, '', 1, 1, NULL)", "CHECK"},
      {party + "'nps', '', '', 1, 0, x'', NULL, '', 1, 0, 1)", "CHECK"},
      {"INSERT INTO administrative_actions VALUES (NULL, 'contoso'" + action + "NULL)", "NOT NULL"},
      {"INSERT INTO time_mark VALUES (2, 0, '', 0, 0, 0, 0)", "CHECK"},
      {version + "'p', 1" + of_version, "UNIQUE"},
      {version + "'', 2" + of_version, "CHECK"},
      {user + "'u', 'u', 'v@x', 'v@x'" + of_user, "UNIQUE"},
      {user + "'v', 'v', 'U@x', 'u@x'" + of_user, "UNIQUE"},
      {user + "'', '', 'v@x', 'v@x'" + of_user, "CHECK"},
      {user + "'v', 'v', '', ''" + of_user, "CHECK"},
      {block + "'device', 'd', 'd', '', 'x', 1, NULL)", "UNIQUE"},
      {block + "'group', 'd', 'd', '', 'x', 1, NULL)", "CHECK"},
      {block + "'device', '', '', '', 'x', 1, NULL)", "CHECK"},
      {key + "'k', 'e', 'e'" + of_pending, "UNIQUE"},
      {key + "'l', 'D', 'd'" + of_approved, "UNIQUE"},
      {key + "'', 'D', 'd'" + of_pending, "CHECK"},
      {key + "'l', '', ''" + of_pending, "CHECK"},
      {key + "'l', 'D', 'd', 'lost', x'30', 1, 'x', NULL, '', '', NULL, '', '', 0)", "CHECK"},
      {key + "'l', 'e', 'e', 'approved', x'30', 1, 'x', NULL, '', '', NULL, '', '', 0)", "CHECK"},
      {key + "'l', 'D', 'd', 'removed', x'30', 1, 'x', NULL, '', '', NULL, '', '', 0)", "CHECK"},
  };
  for (const auto& test : kRefused) {
    const absl::Status refused = Connect()->Execute(test.sql);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kInternalError)) << test.sql;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(test.words)) << test.sql;
  }
  // These have their one row already.
  ASSERT_OK(Connect()->Execute("DELETE FROM journal_catalog; DELETE FROM wal_tie"));
  for (const std::string& sql :
       {absl::StrCat(root, "'r2', 2, 'STAGED', 't', 'u2'", rest, "'', NULL, '', 1, 1)"),
        absl::StrCat(root, "'r3', 3, 'RETIRED', 't', 'u3'", rest, "'', NULL, '', 1, 1)"),
        std::string("INSERT INTO tenants VALUES ('other', 'Other', 1, 2, 3, 4, NULL, 0)"),
        intermediate + "NULL, NULL)", party + "'nps', '', '', 1, 0, x'', NULL, '', 1, 0, NULL)",
        party + "'another', '', '', 1, 1, x'00', 1, 'x', 1, 1, 2)",
        "INSERT INTO administrative_actions VALUES (NULL, 'contoso'" + action + "0)",
        std::string("INSERT INTO journal_segments VALUES (2, 'SEALED', 1, 0, 0, 0, 0)"),
        std::string("INSERT INTO journal_catalog VALUES (1, 0, x'')"),
        std::string("INSERT INTO wal_tie VALUES (1, x'', x'')"),
        std::string("INSERT INTO time_mark VALUES (1, 0, '', 0, 0, 0, 0)"),
        absl::StrCat(version, "'p', 2", of_version),
        std::string("INSERT INTO policies VALUES ('contoso', 'p', 2)"),
        absl::StrCat(user, "'v', 'v', 'v@x', 'v@x'", of_user),
        block + "'user', 'd', 'd', '', 'x', 1, 2)", key + "'l', 'D', 'd'" + of_pending,
        key + "'m', 'e', 'e'" + of_approved,
        key + "'n', 'e', 'e', 'removed', x'30', 1, 'x', 2, 'x', '', 3, 'x', '', 1)"}) {
    EXPECT_OK(Connect()->Execute(sql)) << sql;
  }
}

TEST_F(SqliteSchemaTest, SeveralMayMigrateAtOnce) {
  ASSERT_OK(UseWriteAheadLog(*Connect()));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] { EXPECT_OK(Migrate(*Connect(), Migrations())); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Version(), static_cast<std::int64_t>(newest_));
  EXPECT_EQ(Integer("SELECT count(*) FROM journal_catalog"), 1);
}

TEST_F(SqliteSchemaTest, AMigrationThatFailsLeavesTheVersionBeforeIt) {
  const std::vector<absl::string_view> broken =
      WithOneMore("CREATE TABLE half (x); INSERT INTO missing VALUES (1)");
  EXPECT_THAT(Migrate(*Connect(), broken), FailsWith(ErrorReason::kInternalError));
  EXPECT_EQ(Version(), static_cast<std::int64_t>(newest_));
  EXPECT_EQ(Integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
  EXPECT_OK(Migrate(*Connect(), Migrations()));
}

TEST_F(SqliteSchemaTest, ANewerProgramsFileIsRefusedAndLeft) {
  ASSERT_OK(Migrate(*Connect(), WithOneMore("CREATE TABLE later (x)")));
  const std::string before = ReadFileOrDie(path_);
  for (const absl::Status& refused :
       {CheckSchema(*Connect(), Migrations()), Migrate(*Connect(), Migrations())}) {
    EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable));
    EXPECT_THAT(std::string(refused.message()), HasSubstr("newer than the"));
  }
  EXPECT_EQ(ReadFileOrDie(path_), before);
  EXPECT_OK(CheckSchema(*Connect(), WithOneMore("")));
}

TEST_F(SqliteSchemaTest, AnotherProgramsFileIsRefusedAndLeft) {
  const char* const kOthers[] = {
      "CREATE TABLE others (a)",
      "CREATE TABLE others (a); PRAGMA user_version = 3",
      "PRAGMA user_version = 3",
      "PRAGMA application_id = 1",
      "PRAGMA application_id = 1; PRAGMA user_version = 3",
      "PRAGMA application_id = 1212632147",
      "PRAGMA application_id = 1212632147; CREATE TABLE others (a)",
      "PRAGMA application_id = 1212632147; PRAGMA user_version = -1",
  };
  for (const char* sql : kOthers) {
    directory_.Write("hourglass.db", "");
    ASSERT_OK(Connect()->Execute(sql));
    const std::string before = ReadFileOrDie(path_);
    for (const absl::Status& refused :
         {CheckSchema(*Connect(), Migrations()), Migrate(*Connect(), Migrations())}) {
      EXPECT_THAT(refused, FailsWith(ErrorReason::kJournalUnavailable)) << sql;
      EXPECT_THAT(std::string(refused.message()), HasSubstr("belongs to another program"));
    }
    EXPECT_EQ(ReadFileOrDie(path_), before) << sql;
  }
  directory_.Write("hourglass.db", "");
  EXPECT_OK(CheckSchema(*Connect(), Migrations()));
  EXPECT_EQ(ReadFileOrDie(path_), "") << "CheckSchema changes nothing";
}

}  // namespace
}  // namespace hourglass::issuance::sqlite
