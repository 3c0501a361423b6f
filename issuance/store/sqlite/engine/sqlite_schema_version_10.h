// The tables of the tenth version: of who may connect.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_VERSION_10_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_VERSION_10_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// Who may connect: policies, users, blocks (issuance/store/access_store.h). Of a policy each
// version is kept, and never changed; `policies` says which of them count now, one that was deleted
// having none. What is long comes last, where SQLite reads it only when it is asked for.
inline constexpr absl::string_view kSchemaVersion10 = R"sql(
ALTER TABLE tenants ADD COLUMN policy_revision INTEGER NOT NULL DEFAULT 0;
CREATE TABLE policy_versions (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  policy_id TEXT NOT NULL CHECK (policy_id <> ''),
  revision INTEGER NOT NULL,
  is_deleted INTEGER NOT NULL,
  kind TEXT NOT NULL,
  display_name TEXT NOT NULL,
  state TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  changed_by TEXT NOT NULL,
  reason TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, policy_id, revision)
) STRICT;
CREATE TABLE policies (
  tenant_id TEXT NOT NULL,
  policy_id TEXT NOT NULL,
  revision INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, policy_id),
  FOREIGN KEY (tenant_id, policy_id, revision) REFERENCES policy_versions
) STRICT, WITHOUT ROWID;
-- `folded_id` and `folded_upn` are ca::FoldedUpn; `group_ids` and `role_ids` have an id a line.
CREATE TABLE directory_users (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  user_id TEXT NOT NULL CHECK (user_id <> ''),
  folded_id TEXT NOT NULL,
  upn TEXT NOT NULL,
  folded_upn TEXT NOT NULL CHECK (folded_upn <> ''),
  onprem_sid TEXT NOT NULL,
  is_guest INTEGER NOT NULL,
  is_enabled INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  updated_by TEXT NOT NULL,
  role_ids TEXT NOT NULL,
  group_ids TEXT NOT NULL,
  PRIMARY KEY (tenant_id, user_id),
  UNIQUE (tenant_id, folded_upn)
) STRICT;
-- `folded_subject` is ca::FoldedUpn of `subject`. Until it is lifted where `blocked_until` is NULL.
CREATE TABLE blocks (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  kind TEXT NOT NULL CHECK (kind IN ('device', 'user')),
  folded_subject TEXT NOT NULL CHECK (folded_subject <> ''),
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  blocked_by TEXT NOT NULL,
  blocked_at INTEGER NOT NULL,
  blocked_until INTEGER,
  PRIMARY KEY (tenant_id, kind, folded_subject)
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_VERSION_10_H_
