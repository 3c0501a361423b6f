// The tables of device keys, which a version of the schema adds.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_DEVICE_KEYS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_DEVICE_KEYS_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// By which keys devices prove that they ask (issuance/store/device_key_store.h). `folded_device_id`
// is ca::FoldedUpn of `device_id`. A device has one approved key at most; what was removed stays.
inline constexpr absl::string_view kSchemaDeviceKeys = R"sql(
CREATE TABLE device_keys (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  key_id TEXT NOT NULL CHECK (key_id <> ''),
  device_id TEXT NOT NULL,
  folded_device_id TEXT NOT NULL CHECK (folded_device_id <> ''),
  state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'removed')),
  public_key BLOB NOT NULL,
  enrolled_at INTEGER NOT NULL,
  enrolled_by TEXT NOT NULL,
  approved_at INTEGER,
  approved_by TEXT NOT NULL,
  approval_reason TEXT NOT NULL,
  removed_at INTEGER,
  removed_by TEXT NOT NULL,
  removal_reason TEXT NOT NULL,
  is_released INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, key_id),
  CHECK (state <> 'approved' OR approved_at IS NOT NULL),
  CHECK ((state = 'removed') = (removed_at IS NOT NULL))
) STRICT;
CREATE INDEX device_keys_by_device ON device_keys (tenant_id, folded_device_id, key_id);
CREATE UNIQUE INDEX approved_device_keys ON device_keys (tenant_id, folded_device_id)
  WHERE state = 'approved';
CREATE INDEX pending_device_keys ON device_keys (tenant_id) WHERE state = 'pending';
)sql";

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_DEVICE_KEYS_H_
