#include "issuance/store/postgresql/engine/schema_device_keys.h"

namespace hourglass::issuance::postgresql {

// As in SQLite.
const absl::string_view kSchemaDeviceKeys = R"sql(
-- `folded_device_id` is ca::FoldedUpn of `device_id`. A device has one approved key at most; what
-- was removed stays.
CREATE TABLE device_keys (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  key_id octets_text NOT NULL CHECK (key_id <> ''),
  device_id octets_text NOT NULL,
  folded_device_id octets_text NOT NULL CHECK (folded_device_id <> ''),
  state octets_text NOT NULL CHECK (state IN ('pending', 'approved', 'removed')),
  public_key bytea NOT NULL,
  enrolled_at bigint NOT NULL,
  enrolled_by octets_text NOT NULL,
  approved_at bigint,
  approved_by octets_text NOT NULL,
  approval_reason octets_text NOT NULL,
  removed_at bigint,
  removed_by octets_text NOT NULL,
  removal_reason octets_text NOT NULL,
  is_released boolean NOT NULL,
  PRIMARY KEY (tenant_id, key_id),
  CHECK (state <> 'approved' OR approved_at IS NOT NULL),
  CHECK ((state = 'removed') = (removed_at IS NOT NULL))
);
CREATE INDEX device_keys_by_device ON device_keys (tenant_id, folded_device_id, key_id);
CREATE UNIQUE INDEX approved_device_keys ON device_keys (tenant_id, folded_device_id)
  WHERE state = 'approved';
CREATE INDEX pending_device_keys ON device_keys (tenant_id) WHERE state = 'pending';
)sql";

}  // namespace hourglass::issuance::postgresql
