// The tables of what was decided against somebody.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_DECISIONS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_DECISIONS_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance::sqlite {

// Refusals and events (issuance/store/decision_store.h). AUTOINCREMENT: a sequence never comes
// again, whatever becomes of the newest row. `folded_upn` is ca::FoldedUpn of `user_upn`, `reasons`
// hourglass.v1.DenyReasons.
inline constexpr absl::string_view kSchemaDecisions = R"sql(
CREATE TABLE refusals (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  tenant_id TEXT NOT NULL REFERENCES tenants,
  verdict_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  caller TEXT NOT NULL,
  user_id TEXT NOT NULL,
  user_upn TEXT NOT NULL,
  folded_upn TEXT NOT NULL,
  device_id TEXT NOT NULL,
  request_id TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  reasons BLOB NOT NULL,
  UNIQUE (tenant_id, verdict_id)
) STRICT;
CREATE INDEX refusals_by_tenant ON refusals (tenant_id, sequence);
CREATE INDEX refusals_by_device ON refusals (tenant_id, device_id, sequence);
CREATE INDEX refusals_by_user ON refusals (tenant_id, folded_upn, sequence);
CREATE INDEX refusals_by_time ON refusals (at);
CREATE TABLE newest_decision_events (
  tenant_id TEXT NOT NULL PRIMARY KEY REFERENCES tenants,
  sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE decision_events (
  tenant_id TEXT NOT NULL REFERENCES tenants,
  sequence INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  user_upn TEXT NOT NULL,
  folded_upn TEXT NOT NULL,
  verdict_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  reasons BLOB NOT NULL,
  PRIMARY KEY (tenant_id, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX decision_events_by_device ON decision_events (tenant_id, device_id, at);
CREATE INDEX decision_events_by_user ON decision_events (tenant_id, folded_upn, at);
)sql";

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_SCHEMA_DECISIONS_H_
