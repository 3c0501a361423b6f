#include "issuance/store/sqlite/engine/sqlite_schema.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_move_mark.h"
#include "issuance/store/sqlite/engine/sqlite_schema_decisions.h"
#include "issuance/store/sqlite/engine/sqlite_schema_device_keys.h"
#include "issuance/store/sqlite/engine/sqlite_schema_version_10.h"
#include "issuance/store/sqlite/engine/sqlite_schema_version_11.h"

namespace hourglass::issuance::sqlite {
namespace {

// Timestamps (`_at`, `_since`, `_evaluated_at`) are microseconds, times of certificates (`not_`)
// seconds since 1970-01-01 UTC. Indices end with what pages are ordered by.
constexpr absl::string_view kVersion1 = R"sql(
CREATE TABLE tenants (
  tenant_id TEXT NOT NULL PRIMARY KEY,
  display_name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  last_generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roots (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  root_id TEXT NOT NULL,
  generation INTEGER NOT NULL,
  state TEXT NOT NULL
    CHECK (state IN ('STAGED', 'PRIMARY', 'RETIRING', 'RETIRED', 'DISCARDED')),
  key_type TEXT NOT NULL,
  key_uri TEXT NOT NULL,
  key_made_for_root INTEGER NOT NULL,
  certificate BLOB NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  state_since INTEGER NOT NULL,
  last_leaf_not_after INTEGER,
  request_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, root_id),
  UNIQUE (tenant_id, generation),
  UNIQUE (key_uri)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_primary ON roots (tenant_id) WHERE state = 'PRIMARY';
CREATE UNIQUE INDEX roots_by_request ON roots (tenant_id, request_id) WHERE request_id <> '';

CREATE TABLE intents (
  sequence INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  root_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  request_digest BLOB NOT NULL,
  caller TEXT NOT NULL,
  user_id TEXT NOT NULL,
  user_upn TEXT NOT NULL,
  device_id TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  verdict_evaluated_at INTEGER NOT NULL,
  serial_number BLOB NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  tbs_certificate BLOB NOT NULL,
  intended_at INTEGER NOT NULL,
  FOREIGN KEY (tenant_id, root_id) REFERENCES roots,
  UNIQUE (tenant_id, request_id)
) STRICT;
CREATE UNIQUE INDEX intents_by_serial_number ON intents (tenant_id, serial_number, root_id);
CREATE INDEX intents_by_time ON intents (tenant_id, intended_at, sequence);
CREATE INDEX intents_by_user ON intents (tenant_id, user_upn, intended_at, sequence);
CREATE INDEX intents_by_device ON intents (tenant_id, device_id, intended_at, sequence);

CREATE TABLE releases (
  sequence INTEGER PRIMARY KEY REFERENCES intents,
  certificate BLOB NOT NULL,
  released_at INTEGER NOT NULL
) STRICT;

CREATE TABLE devices (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  device_id TEXT NOT NULL,
  state BLOB NOT NULL,
  reported_at INTEGER NOT NULL,
  reported_by TEXT NOT NULL,
  PRIMARY KEY (tenant_id, device_id)
) STRICT, WITHOUT ROWID;
)sql";

constexpr absl::string_view kVersion2 = R"sql(
CREATE TABLE planned_keys (
  key_uri TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants,
  generation INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr absl::string_view kVersion3 = R"sql(
CREATE TABLE intermediates (
  sequence INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  root_id TEXT NOT NULL,
  serial_number BLOB NOT NULL,
  key_type TEXT NOT NULL,
  not_before INTEGER NOT NULL,
  not_after INTEGER NOT NULL,
  tbs_certificate BLOB NOT NULL,
  intended_at INTEGER NOT NULL,
  certificate BLOB,
  released_at INTEGER,
  FOREIGN KEY (tenant_id, root_id) REFERENCES roots,
  UNIQUE (tenant_id, root_id, serial_number),
  CHECK ((certificate IS NULL) = (released_at IS NULL))
) STRICT;
CREATE INDEX intermediates_by_root ON intermediates (tenant_id, root_id, sequence);

ALTER TABLE intents ADD COLUMN intermediate_serial_number BLOB NOT NULL DEFAULT x'';
)sql";

// The journal moves to files of its own: see issuance/store/sqlite/journal/old_journal.h, which
// moves the records between this version and the next. Under other names, so that no older program
// that still runs writes to the old tables.
constexpr absl::string_view kVersion4 = R"sql(
CREATE TABLE journal_catalog (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  version INTEGER NOT NULL,
  hash_key BLOB NOT NULL
) STRICT;
INSERT INTO journal_catalog VALUES (1, 0, randomblob(16));
CREATE TABLE journal_segments (
  number INTEGER PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('ACTIVE', 'SEALED', 'INDEXED')),
  first_sequence INTEGER NOT NULL,
  last_sequence INTEGER NOT NULL,
  first_intended_at INTEGER NOT NULL,
  last_intended_at INTEGER NOT NULL,
  last_not_after INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_active ON journal_segments (state) WHERE state = 'ACTIVE';
CREATE TABLE journal_key_runs (
  number INTEGER PRIMARY KEY,
  first_segment INTEGER NOT NULL,
  last_segment INTEGER NOT NULL
) STRICT;
CREATE TABLE late_releases (
  sequence INTEGER PRIMARY KEY,
  certificate BLOB NOT NULL,
  released_at INTEGER NOT NULL
) STRICT;

DROP INDEX intents_by_serial_number;
DROP INDEX intents_by_time;
DROP INDEX intents_by_user;
DROP INDEX intents_by_device;
ALTER TABLE intents RENAME TO old_intents;
ALTER TABLE releases RENAME TO old_releases;
)sql";

// Fails where a record has not been moved.
constexpr absl::string_view kVersion5 = R"sql(
CREATE TABLE not_moved (records INTEGER CHECK (records = 0));
INSERT INTO not_moved SELECT count(*) FROM old_intents;
DROP TABLE not_moved;
DROP TABLE old_releases;
DROP TABLE old_intents;
)sql";

// The newest time that is known, and what the clock was compared with: see TimeMark.
//
// Which tenant's roots have which name is filled in by the program: see NameTenants in
// issuance/store/sqlite/tables/sqlite_tenants.h. NULL where an older program gave two tenants one
// name.
constexpr absl::string_view kVersion6 = R"sql(
CREATE TABLE time_mark (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  newest_at INTEGER NOT NULL,
  boot_id TEXT NOT NULL,
  reference INTEGER NOT NULL,
  settled INTEGER NOT NULL,
  ignored_up_to INTEGER NOT NULL,
  acceptances INTEGER NOT NULL
) STRICT;
-- Segments that left the catalog, whose files are deleted a day after they were seen to have:
-- `seen_at` is null until then.
CREATE TABLE dropped_segments (
  number INTEGER PRIMARY KEY,
  seen_at INTEGER
) STRICT;
ALTER TABLE journal_key_runs ADD COLUMN checksum INTEGER;
-- As kMakeTie (issuance/store/sqlite/engine/wal_tie.h).
CREATE TABLE wal_tie (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  previous BLOB NOT NULL,
  id BLOB NOT NULL
) STRICT;
INSERT INTO wal_tie VALUES (1, zeroblob(16), zeroblob(16));
ALTER TABLE roots ADD COLUMN key_destroyed_at INTEGER;
ALTER TABLE planned_keys ADD COLUMN public_key BLOB NOT NULL DEFAULT x'';
CREATE TABLE bound_keys (
  key_uri TEXT NOT NULL PRIMARY KEY,
  tenant_id TEXT NOT NULL REFERENCES tenants,
  public_key BLOB NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
ALTER TABLE tenants ADD COLUMN root_name_key TEXT;
CREATE UNIQUE INDEX tenants_by_root_name ON tenants (root_name_key);
)sql";

// A planned key that is about to be destroyed: see RootKeyStore::CondemnPlannedKey.
constexpr absl::string_view kVersion7 = R"sql(
ALTER TABLE planned_keys ADD COLUMN condemned INTEGER NOT NULL DEFAULT 0;
)sql";

// Rotation: since when each root is in its tenant's trust bundle, who has to trust it, and what
// administrators did. Nobody has acknowledged anything yet, so that of the roots of before it is
// enough to say that they are in the bundle as it is now. AUTOINCREMENT: a sequence never comes
// again, whatever becomes of the newest row (https://www.sqlite.org/autoinc.html).
constexpr absl::string_view kVersion8 = R"sql(
ALTER TABLE roots ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE roots ADD COLUMN bundle_version INTEGER NOT NULL DEFAULT 0;
UPDATE roots SET bundle_version = tenants.revision FROM tenants
  WHERE tenants.tenant_id = roots.tenant_id;
CREATE TABLE relying_parties (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  name TEXT NOT NULL,
  identity TEXT NOT NULL,
  kind TEXT NOT NULL,
  is_manual INTEGER NOT NULL,
  acknowledged_version INTEGER NOT NULL DEFAULT 0,
  acknowledged_sha256 BLOB NOT NULL DEFAULT x'',
  acknowledged_at INTEGER,
  acknowledged_by TEXT NOT NULL DEFAULT '',
  registered_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, name),
  CHECK ((acknowledged_version = 0) = (acknowledged_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX relying_parties_by_identity ON relying_parties (tenant_id, identity)
  WHERE identity <> '';
CREATE TABLE administrative_actions (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id TEXT NOT NULL REFERENCES tenants,
  at INTEGER NOT NULL,
  caller TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  reason TEXT NOT NULL,
  overrides INTEGER NOT NULL
) STRICT;
CREATE INDEX administrative_actions_by_tenant ON administrative_actions (tenant_id, sequence);
)sql";

// In which order states were changed, and what relying parties fetched. Of before only the times
// are known: a tenant's roots get its last revisions in their order, of which there are enough, as
// each root has raised the revision by one.
constexpr absl::string_view kVersion9 = R"sql(
ALTER TABLE roots ADD COLUMN state_revision INTEGER NOT NULL DEFAULT 0;
UPDATE roots SET state_revision = numbered.state_revision FROM
  (SELECT tenant_id, root_id, revision + 1 - row_number() OVER
     (PARTITION BY tenant_id ORDER BY state_since DESC, generation DESC) AS state_revision
   FROM roots JOIN tenants USING (tenant_id)) AS numbered
  WHERE numbered.tenant_id = roots.tenant_id AND numbered.root_id = roots.root_id;
ALTER TABLE relying_parties ADD COLUMN fetched_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE relying_parties ADD COLUMN fetched_at INTEGER
  CHECK ((fetched_version = 0) = (fetched_at IS NULL));
)sql";

constexpr absl::string_view kMigrations[] = {
    kVersion1,        kVersion2,        kVersion3,        kVersion4, kVersion5,
    kVersion6,        kVersion7,        kVersion8,        kVersion9, kSchemaVersion10,
    kSchemaVersion11, kSchemaDecisions, kSchemaDeviceKeys};

absl::Status Refuse(absl::string_view why) {
  return Error(ErrorReason::kJournalUnavailable, "", absl::StrCat("database: ", why));
}

// 0 for an empty file.
absl::StatusOr<std::int64_t> VersionOf(Connection& connection) {
  return connection.QueryInteger("PRAGMA user_version");
}

absl::Status CheckOwner(Connection& connection, std::int64_t version) {
  ASSIGN_OR_RETURN(const std::int64_t application,
                   connection.QueryInteger("PRAGMA application_id"));
  if (version > 0 && application == kApplicationId) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<MoveMark> mark, ReadMoveMark(connection));
  if (mark.has_value()) return RefuseMarked(*mark);
  ASSIGN_OR_RETURN(const std::int64_t tables,
                   connection.QueryInteger("SELECT count(*) FROM sqlite_schema"));
  if (version == 0 && application == 0 && tables == 0) return absl::OkStatus();
  return Refuse("the file belongs to another program");
}

absl::Status Advance(Connection& connection, std::int64_t from, absl::string_view migration) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::Begin(connection));
  ASSIGN_OR_RETURN(const std::int64_t version, VersionOf(connection));
  // Another process was faster.
  if (version != from) return absl::OkStatus();
  transaction.ChangesTheSchema();
  RETURN_IF_ERROR(
      connection.Execute(absl::StrCat(migration, "\n; PRAGMA application_id = ", kApplicationId,
                                      "; PRAGMA user_version = ", from + 1)));
  return transaction.Commit();
}

}  // namespace

absl::Span<const absl::string_view> Migrations() { return kMigrations; }

absl::Status CheckSchema(Connection& connection, absl::Span<const absl::string_view> migrations) {
  ASSIGN_OR_RETURN(const std::int64_t version, VersionOf(connection));
  RETURN_IF_ERROR(CheckOwner(connection, version));
  if (version > static_cast<std::int64_t>(migrations.size())) {
    return Refuse(absl::StrCat("the file has schema version ", version, ", newer than the ",
                               migrations.size(), " that this program knows; use a newer program"));
  }
  return absl::OkStatus();
}

absl::Status Migrate(Connection& connection, absl::Span<const absl::string_view> migrations,
                     std::size_t up_to) {
  const auto target = static_cast<std::int64_t>(std::min(up_to, migrations.size()));
  for (;;) {
    RETURN_IF_ERROR(CheckSchema(connection, migrations));
    ASSIGN_OR_RETURN(const std::int64_t version, VersionOf(connection));
    if (version >= target) return absl::OkStatus();
    RETURN_IF_ERROR(Advance(connection, version, migrations[static_cast<std::size_t>(version)]));
  }
}

}  // namespace hourglass::issuance::sqlite
