#include "issuance/store/postgresql/engine/schema.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/journal_functions.h"
#include "issuance/store/postgresql/engine/schema_decisions.h"
#include "issuance/store/postgresql/engine/schema_device_keys.h"
#include "issuance/store/postgresql/engine/schema_grants.h"
#include "issuance/store/postgresql/engine/schema_version_1.h"
#include "issuance/store/postgresql/engine/schema_version_2.h"
#include "issuance/store/postgresql/engine/schema_version_3.h"

namespace hourglass::issuance::postgresql {
namespace {

constexpr absl::string_view kApplication = "hourglass certificate authority";

// Of the names that two numbers make: fence.cc has the other.
constexpr absl::string_view kLockMigration = "SELECT pg_advisory_xact_lock(1212632147, 2)";

// A service waits behind a step that waits for a table: for so long at most. Nor does it die of a
// deadlock with a step, which has given way by the time the server looks for one
// (deadlock_timeout).
constexpr absl::string_view kWaitShortly = "SET LOCAL lock_timeout = '200ms'";
constexpr absl::string_view kPauseBetweenTries = "SELECT pg_sleep(0.3)";
constexpr int kTries = 20;
constexpr absl::string_view kLockNotHad = "(55P03)";

constexpr absl::string_view kMakeSchema = R"sql(
CREATE SCHEMA IF NOT EXISTS hourglass;
CREATE TABLE IF NOT EXISTS hourglass.schema_versions (
  application text NOT NULL,
  version bigint NOT NULL PRIMARY KEY,
  oldest_program bigint NOT NULL,
  made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
)sql";

constexpr absl::string_view kLookAtSchema = R"sql(
SELECT pg_get_userbyid(nspowner),
       pg_get_userbyid(nspowner) = current_user,
       has_schema_privilege(n.oid, 'USAGE') AND coalesce(has_table_privilege(v.oid, 'SELECT'), true),
       EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid),
       (SELECT count(*) FROM pg_attribute WHERE attrelid = v.oid AND NOT attisdropped
          AND attname IN ('application', 'version', 'oldest_program')) = 3
  FROM pg_namespace n
  LEFT JOIN pg_class v ON v.relnamespace = n.oid AND v.relname = 'schema_versions'
  WHERE nspname = 'hourglass'
)sql";

absl::Status Unavailable(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

// What the database has. A schema without anything in it is none.
struct Schema {
  bool is_there = false;
  std::string owner;
  bool is_own = false;  // the connection's role owns it
  std::int64_t version = 0;
  std::int64_t oldest_program = 0;
};

absl::Status OfAnotherApplication() {
  return Unavailable("the schema `hourglass` of this database belongs to another application");
}

absl::StatusOr<Schema> ReadSchema(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kLookAtSchema));
  Schema schema;
  if (!rows.Next()) return schema;
  schema.owner = rows.TakeOctets();
  schema.is_own = rows.TakeBoolean();
  const bool may_look = rows.TakeBoolean();
  const bool has_anything = rows.TakeBoolean();
  const bool has_versions = rows.TakeBoolean();
  schema.is_there = true;
  if (!has_anything) return schema;
  if (!has_versions) return OfAnotherApplication();
  if (!may_look) {
    return Unavailable(absl::StrCat(
        "this role may not use the schema `hourglass`: name it to `hourglass store prepare`, run "
        "as ",
        schema.owner));
  }
  ASSIGN_OR_RETURN(Rows versions,
                   connection.Query("SELECT max(version), max(oldest_program), "
                                    "bool_and(application = $1) FROM hourglass.schema_versions",
                                    {Text{kApplication}}));
  versions.Next();
  schema.version = versions.TakeInteger();
  schema.oldest_program = versions.TakeInteger();
  if (!versions.TakeBoolean()) return OfAnotherApplication();
  return schema;
}

std::int64_t VersionOf(absl::Span<const Migration> migrations) {
  return static_cast<std::int64_t>(migrations.size());
}

absl::Status CheckNotNewer(const Schema& schema, absl::Span<const Migration> migrations) {
  if (schema.oldest_program <= VersionOf(migrations)) return absl::OkStatus();
  return Unavailable(absl::StrCat("the schema is of version ", schema.version,
                                  ", whose programs know version ", schema.oldest_program,
                                  " at least, and this program knows ", migrations.size(),
                                  ": run a newer hourglass"));
}

// Whose schema it is, and who the service is.
absl::Status CheckRoles(Connection& owner, const Schema& schema, absl::string_view service_role) {
  ASSIGN_OR_RETURN(Rows rows,
                   owner.Query("SELECT pg_has_role(oid, current_user, 'MEMBER') FROM pg_roles "
                               "WHERE rolname = $1",
                               {Text{service_role}}));
  if (!rows.Next()) return Unavailable(absl::StrCat("there is no role ", service_role));
  if (rows.TakeBoolean()) {
    return Unavailable(absl::StrCat("the service's role ", service_role,
                                    " could do all that the owner may: it must be another, which "
                                    "is no member of the owner's and no superuser"));
  }
  if (schema.is_there && !schema.is_own) {
    return Unavailable(absl::StrCat("the schema `hourglass` belongs to ", schema.owner,
                                    ", who alone may prepare it"));
  }
  if (schema.is_there) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::int64_t may_create,
      owner.QueryInteger("SELECT has_database_privilege(current_database(), 'CREATE')"));
  if (may_create != 0) return absl::OkStatus();
  return Unavailable("this role may not make a schema in the database: prepare it as its owner");
}

// Programs that run on a schema know at least what its oldest_program says; those that know all of
// `step` cannot run yet. So whoever is there is left out by a step that asks for more. Who prepares
// a schema is not there as the service is, but as the owner.
absl::Status CheckNobodyIsLeftOut(Connection& owner) {
  ASSIGN_OR_RETURN(Rows rows,
                   owner.Query("SELECT DISTINCT application_name FROM pg_stat_activity WHERE "
                               "datname = current_database() AND usename <> current_user AND "
                               "application_name LIKE 'hourglass%' ORDER BY application_name"));
  std::vector<std::string> programs;
  while (rows.Next()) programs.push_back(rows.TakeOctets());
  if (programs.empty()) return absl::OkStatus();
  return Unavailable(absl::StrCat("the next version of the schema leaves out programs that run on ",
                                  "the database: stop ", absl::StrJoin(programs, ", "), " first"));
}

// `is_new`: there was no schema, on which nobody runs.
absl::Status ChangeTables(Connection& owner, const Schema& schema, std::int64_t version,
                          const Migration& step, bool is_new) {
  RETURN_IF_ERROR(owner.Execute(std::string(kWaitShortly)));
  if (!is_new && step.oldest_program > schema.oldest_program) {
    // Whoever starts from here on reads the versions after this, and whoever read them is
    // connected.
    RETURN_IF_ERROR(owner.Execute("LOCK TABLE hourglass.schema_versions IN ACCESS EXCLUSIVE MODE"));
    RETURN_IF_ERROR(CheckNobodyIsLeftOut(owner));
  }
  if (version == 1) RETURN_IF_ERROR(owner.Execute(std::string(kMakeSchema)));
  RETURN_IF_ERROR(owner.Execute(std::string(step.sql)));
  return owner
      .Query(
          "INSERT INTO hourglass.schema_versions (application, version, oldest_program) "
          "VALUES ($1, $2, $3)",
          {Text{kApplication}, version, step.oldest_program})
      .status();
}

// False where a table was in use.
absl::StatusOr<bool> TryStep(Connection& owner, std::int64_t version, const Migration& step,
                             bool is_new) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(owner));
  RETURN_IF_ERROR(owner.Query(kLockMigration).status());
  // Another program may have made it meanwhile.
  ASSIGN_OR_RETURN(const Schema schema, ReadSchema(owner));
  if (schema.version >= version) return true;
  const absl::Status status = ChangeTables(owner, schema, version, step, is_new);
  if (absl::EndsWith(status.message(), kLockNotHad)) return false;
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(transaction.Commit());
  return true;
}

absl::Status MakeStep(Connection& owner, std::int64_t version, const Migration& step, bool is_new) {
  for (int tries = 1; tries <= kTries; ++tries) {
    ASSIGN_OR_RETURN(const bool is_made, TryStep(owner, version, step, is_new));
    if (is_made) return absl::OkStatus();
    RETURN_IF_ERROR(owner.Query(kPauseBetweenTries).status());
  }
  return Unavailable(absl::StrCat(
      "version ", version,
      " of the schema could not be made: its tables are used without a pause, as by a "
      "backup (pg_dump) or somebody's open transaction. Nothing of it was changed; run "
      "it again once that has ended"));
}

absl::Status Grant(Connection& owner, absl::string_view service_role) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(owner));
  RETURN_IF_ERROR(owner.Query(kLockMigration).status());
  RETURN_IF_ERROR(GrantToService(owner, service_role));
  return transaction.Commit();
}

}  // namespace

absl::Span<const Migration> Migrations() {
  static const std::string* const version_1 =
      new std::string(absl::StrCat(kSchemaVersion1, kJournalFunctions));
  // A program of before the second would issue to whom is blocked; one of before the third leaves
  // out of the journal what it knows nothing of, by whose word; one of before the fourth tells
  // nobody of what it changes; one of before the fifth would issue without the proofs that keys of
  // devices demand.
  static const std::array<Migration, 5> migrations = {
      Migration{*version_1, 1}, Migration{kSchemaVersion2, 2}, Migration{kSchemaVersion3, 2},
      Migration{kSchemaDecisions, 2}, Migration{kSchemaDeviceKeys, 5}};
  return migrations;
}

absl::Status CheckSchema(Connection& connection, absl::Span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const Schema schema, ReadSchema(connection));
  if (schema.version == 0) {
    return Unavailable("there is no schema `hourglass`: `hourglass store prepare` makes it");
  }
  if (schema.version < VersionOf(migrations)) {
    return Unavailable(absl::StrCat("the schema is of version ", schema.version,
                                    ", and this program needs ", migrations.size(),
                                    ": `hourglass store prepare` upgrades it"));
  }
  return CheckNotNewer(schema, migrations);
}

absl::Status CheckSchemaIsKnown(Connection& connection, absl::Span<const Migration> migrations) {
  RETURN_IF_ERROR(CheckSchema(connection, migrations));
  ASSIGN_OR_RETURN(const Schema schema, ReadSchema(connection));
  if (schema.version == VersionOf(migrations)) return absl::OkStatus();
  return Unavailable(absl::StrCat("the schema is of version ", schema.version,
                                  ", and this program knows no more than ", migrations.size(),
                                  " of it: run a newer hourglass"));
}

absl::Status PrepareSchema(Connection& owner, absl::string_view service_role,
                           absl::Span<const Migration> migrations) {
  ASSIGN_OR_RETURN(const Schema schema, ReadSchema(owner));
  RETURN_IF_ERROR(CheckNotNewer(schema, migrations));
  RETURN_IF_ERROR(CheckRoles(owner, schema, service_role));
  // What a newer program granted this one does not know.
  if (schema.version > VersionOf(migrations)) return absl::OkStatus();
  for (std::int64_t version = schema.version + 1; version <= VersionOf(migrations); ++version) {
    RETURN_IF_ERROR(MakeStep(owner, version, migrations[static_cast<std::size_t>(version - 1)],
                             schema.version == 0));
  }
  return Grant(owner, service_role);
}

}  // namespace hourglass::issuance::postgresql
