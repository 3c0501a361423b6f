#include "issuance/store/postgresql/engine/schema_version_1.h"

namespace hourglass::issuance::postgresql {

// As in SQLite: timestamps (`_at`, `_since`) are microseconds, times of certificates (`not_`)
// seconds since 1970-01-01 UTC.
const absl::string_view kSchemaVersion1 = R"sql(
-- Compared and ordered by octets, whatever the locale of the database.
CREATE DOMAIN octets_text AS text COLLATE "C";

CREATE TABLE tenants (
  tenant_id octets_text NOT NULL PRIMARY KEY,
  display_name octets_text NOT NULL,
  created_at bigint NOT NULL,
  -- The fence: one row says which epoch it is, and whose. The root that is PRIMARY, or NULL.
  epoch bigint NOT NULL DEFAULT 0,
  revision bigint NOT NULL DEFAULT 0,
  primary_root octets_text,
  last_generation bigint NOT NULL DEFAULT 0,
  -- ca::RootNameKey. NULL where the tenant came from a store in which an older program gave two
  -- tenants one name (docs/store-move.md).
  root_name_key octets_text UNIQUE
);

CREATE TABLE roots (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  root_id octets_text NOT NULL,
  generation bigint NOT NULL,
  state octets_text NOT NULL CHECK (state IN ('STAGED', 'PRIMARY', 'RETIRING', 'RETIRED', 'DISCARDED')),
  key_type octets_text NOT NULL,
  key_uri octets_text NOT NULL UNIQUE,
  key_made_for_root boolean NOT NULL,
  key_destroyed_at bigint,
  certificate bytea NOT NULL,
  not_before bigint NOT NULL,
  not_after bigint NOT NULL,
  created_at bigint NOT NULL,
  created_by octets_text NOT NULL,
  state_since bigint NOT NULL,
  state_revision bigint NOT NULL,
  bundle_version bigint NOT NULL,
  last_leaf_not_after bigint,
  request_id octets_text NOT NULL,
  PRIMARY KEY (tenant_id, root_id),
  UNIQUE (tenant_id, generation)
);
CREATE UNIQUE INDEX one_primary ON roots (tenant_id) WHERE state = 'PRIMARY';
CREATE UNIQUE INDEX roots_by_request ON roots (tenant_id, request_id) WHERE request_id <> '';

CREATE TABLE planned_keys (
  key_uri octets_text NOT NULL PRIMARY KEY,
  tenant_id octets_text NOT NULL REFERENCES tenants,
  generation bigint NOT NULL,
  public_key bytea NOT NULL DEFAULT '',
  is_condemned boolean NOT NULL DEFAULT false
);
CREATE TABLE bound_keys (
  key_uri octets_text NOT NULL PRIMARY KEY,
  tenant_id octets_text NOT NULL REFERENCES tenants,
  public_key bytea NOT NULL UNIQUE
);

CREATE TABLE intermediates (
  sequence bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id octets_text NOT NULL,
  epoch bigint NOT NULL,
  root_id octets_text NOT NULL,
  serial_number bytea NOT NULL,
  key_type octets_text NOT NULL,
  not_before bigint NOT NULL,
  not_after bigint NOT NULL,
  tbs_certificate bytea NOT NULL,
  intended_at bigint NOT NULL,
  certificate bytea,
  released_at bigint,
  PRIMARY KEY (tenant_id, root_id, sequence),
  FOREIGN KEY (tenant_id, root_id) REFERENCES roots,
  UNIQUE (tenant_id, root_id, serial_number),
  CHECK ((certificate IS NULL) = (released_at IS NULL))
);

CREATE TABLE devices (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  device_id octets_text NOT NULL,
  state bytea NOT NULL,
  reported_at bigint NOT NULL,
  reported_by octets_text NOT NULL,
  PRIMARY KEY (tenant_id, device_id)
);

CREATE TABLE relying_parties (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  name octets_text NOT NULL,
  identity octets_text NOT NULL,
  kind octets_text NOT NULL,
  is_manual boolean NOT NULL,
  fetched_version bigint NOT NULL DEFAULT 0,
  fetched_at bigint,
  acknowledged_version bigint NOT NULL DEFAULT 0,
  acknowledged_sha256 bytea NOT NULL DEFAULT '',
  acknowledged_at bigint,
  acknowledged_by octets_text NOT NULL DEFAULT '',
  registered_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, name),
  CHECK ((acknowledged_version = 0) = (acknowledged_at IS NULL)),
  CHECK ((fetched_version = 0) = (fetched_at IS NULL))
);
CREATE UNIQUE INDEX relying_parties_by_identity ON relying_parties (tenant_id, identity)
  WHERE identity <> '';

CREATE TABLE administrative_actions (
  sequence bigint GENERATED ALWAYS AS IDENTITY,
  tenant_id octets_text NOT NULL REFERENCES tenants,
  at bigint NOT NULL,
  caller octets_text NOT NULL,
  action octets_text NOT NULL,
  subject octets_text NOT NULL,
  from_state octets_text NOT NULL,
  to_state octets_text NOT NULL,
  reason octets_text NOT NULL,
  overrides boolean NOT NULL,
  -- The only index: a page of a tenant must be read by no other.
  PRIMARY KEY (tenant_id, sequence)
);

-- The journal. Each record is in the partition of its time, in both tables the same, and its keys
-- are in one table that no partition divides, so that they are unique for as long as it is kept.
-- What appends look at is there, too: to look at a partitioned table costs more with each partition.
-- Partitions are made and dropped by the functions in
-- issuance/store/postgresql/engine/journal_functions.cc.
CREATE SEQUENCE intent_sequence;
CREATE TABLE journal_keys (
  tenant_id octets_text NOT NULL,
  request_id octets_text NOT NULL,
  root_id octets_text NOT NULL,
  serial_number bytea NOT NULL,
  epoch bigint NOT NULL,
  intended_at bigint NOT NULL,
  not_after bigint NOT NULL,
  sequence bigint NOT NULL,
  PRIMARY KEY (tenant_id, request_id),
  UNIQUE (tenant_id, serial_number, root_id)
);
CREATE TABLE intents (
  sequence bigint NOT NULL,
  tenant_id octets_text NOT NULL,
  epoch bigint NOT NULL,
  root_id octets_text NOT NULL,
  request_id octets_text NOT NULL,
  request_digest bytea NOT NULL,
  caller octets_text NOT NULL,
  user_id octets_text NOT NULL,
  user_upn octets_text NOT NULL,
  -- ca::FoldedUpn.
  folded_upn octets_text NOT NULL,
  device_id octets_text NOT NULL,
  verdict_id octets_text NOT NULL,
  policy_version octets_text NOT NULL,
  verdict_evaluated_at bigint NOT NULL,
  serial_number bytea NOT NULL,
  not_before bigint NOT NULL,
  not_after bigint NOT NULL,
  tbs_certificate bytea NOT NULL,
  intermediate_serial_number bytea NOT NULL,
  intended_at bigint NOT NULL,
  PRIMARY KEY (tenant_id, intended_at, sequence)
) PARTITION BY RANGE (intended_at);
CREATE INDEX intents_by_user ON intents (folded_upn, tenant_id, intended_at, sequence);
CREATE INDEX intents_by_device ON intents (device_id, tenant_id, intended_at, sequence);
-- Whether all of a partition have expired.
CREATE INDEX intents_by_end ON intents (not_after);
CREATE TABLE releases (
  intended_at bigint NOT NULL,
  sequence bigint NOT NULL,
  certificate bytea NOT NULL,
  released_at bigint NOT NULL,
  PRIMARY KEY (sequence, intended_at)
) PARTITION BY RANGE (intended_at);
-- When the last leaf of a root ends for which an intent was written: a row a writer, so that none
-- waits for another. The latest counts.
CREATE TABLE last_leaves (
  tenant_id octets_text NOT NULL,
  root_id octets_text NOT NULL,
  writer bigint NOT NULL,
  not_after bigint NOT NULL,
  PRIMARY KEY (tenant_id, root_id, writer)
);
CREATE SEQUENCE writer_sequence;
-- The partitions that there are: the tables `intents_N` and `releases_N`, N being the number, have
-- what was intended from `first_at` on and before `end_at`. They never overlap.
CREATE TABLE journal_partitions (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  first_at bigint NOT NULL UNIQUE,
  end_at bigint NOT NULL,
  CHECK (first_at < end_at)
);
-- Those that were forgotten: the same tables, in the schema hourglass_dropped.
CREATE TABLE dropped_partitions (
  number bigint NOT NULL PRIMARY KEY,
  first_at bigint NOT NULL,
  end_at bigint NOT NULL,
  -- By the database's clock.
  dropped_at bigint NOT NULL,
  -- How many pages of `intents_N` were read to free their keys, and whether that was all.
  freed_pages bigint NOT NULL DEFAULT 0,
  keys_are_free boolean NOT NULL DEFAULT false,
  -- When delete_dropped_journal found it, by what it was told.
  seen_at bigint
);
CREATE SCHEMA IF NOT EXISTS hourglass_dropped;
-- For whoever owns the database to change.
CREATE TABLE journal_settings (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  -- Microseconds by the database's clock: the age of records that are dropped,
  minimum_retention bigint NOT NULL DEFAULT 86400000000,
  -- and how long they are kept after that, at least.
  minimum_keeping bigint NOT NULL DEFAULT 86400000000
);
INSERT INTO journal_settings DEFAULT VALUES;

-- What each machine's clock was compared with: issuance/store/time_records.h.
CREATE TABLE time_marks (
  machine octets_text NOT NULL PRIMARY KEY,
  newest_at bigint NOT NULL,
  boot_id octets_text NOT NULL,
  reference bigint NOT NULL,
  settled boolean NOT NULL,
  ignored_up_to bigint NOT NULL,
  acceptances bigint NOT NULL
);

-- There while the store is filled from another one, and once it was moved away: MoveMark.
CREATE TABLE store_move (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  is_away boolean NOT NULL,
  other octets_text NOT NULL,
  other_id octets_text NOT NULL,
  at bigint NOT NULL,
  records bigint NOT NULL
);

-- Who runs on this database.
CREATE TABLE replicas (
  name octets_text NOT NULL PRIMARY KEY,
  run_id octets_text NOT NULL,
  program_version octets_text NOT NULL,
  address octets_text NOT NULL,
  started_at bigint NOT NULL,
  -- By the clock of the database.
  seen_at bigint NOT NULL,
  -- Microseconds by which the replica's clock is ahead of the database's, and how wrong that may be.
  clock_ahead bigint NOT NULL,
  clock_uncertainty bigint NOT NULL
);
)sql";

}  // namespace hourglass::issuance::postgresql
