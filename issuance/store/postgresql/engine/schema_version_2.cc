#include "issuance/store/postgresql/engine/schema_version_2.h"

namespace hourglass::issuance::postgresql {

// As in SQLite.
const absl::string_view kSchemaVersion2 = R"sql(
ALTER TABLE tenants ADD COLUMN policy_revision bigint NOT NULL DEFAULT 0;

-- Of a policy each version is kept, and never changed; `policies` says which of them count now, one
-- that was deleted having none.
CREATE TABLE policy_versions (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  policy_id octets_text NOT NULL CHECK (policy_id <> ''),
  revision bigint NOT NULL,
  is_deleted boolean NOT NULL,
  kind octets_text NOT NULL,
  display_name octets_text NOT NULL,
  state octets_text NOT NULL,
  changed_at bigint NOT NULL,
  changed_by octets_text NOT NULL,
  reason octets_text NOT NULL,
  document octets_text NOT NULL,
  PRIMARY KEY (tenant_id, policy_id, revision)
);
CREATE TABLE policies (
  tenant_id octets_text NOT NULL,
  policy_id octets_text NOT NULL,
  revision bigint NOT NULL,
  PRIMARY KEY (tenant_id, policy_id),
  FOREIGN KEY (tenant_id, policy_id, revision) REFERENCES policy_versions
);

-- `folded_id` and `folded_upn` are ca::FoldedUpn; `group_ids` and `role_ids` have an id a line.
CREATE TABLE directory_users (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  user_id octets_text NOT NULL CHECK (user_id <> ''),
  folded_id octets_text NOT NULL,
  upn octets_text NOT NULL,
  folded_upn octets_text NOT NULL CHECK (folded_upn <> ''),
  onprem_sid octets_text NOT NULL,
  is_guest boolean NOT NULL,
  is_enabled boolean NOT NULL,
  updated_at bigint NOT NULL,
  updated_by octets_text NOT NULL,
  role_ids octets_text NOT NULL,
  group_ids octets_text NOT NULL,
  PRIMARY KEY (tenant_id, user_id),
  UNIQUE (tenant_id, folded_upn)
);

-- `folded_subject` is ca::FoldedUpn of `subject`. Until it is lifted where `blocked_until` is NULL.
CREATE TABLE blocks (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  kind octets_text NOT NULL CHECK (kind IN ('device', 'user')),
  folded_subject octets_text NOT NULL CHECK (folded_subject <> ''),
  subject octets_text NOT NULL,
  reason octets_text NOT NULL,
  blocked_by octets_text NOT NULL,
  blocked_at bigint NOT NULL,
  blocked_until bigint,
  PRIMARY KEY (tenant_id, kind, folded_subject)
);
)sql";

}  // namespace hourglass::issuance::postgresql
