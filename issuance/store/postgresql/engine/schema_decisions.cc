#include "issuance/store/postgresql/engine/schema_decisions.h"

namespace hourglass::issuance::postgresql {

// As in SQLite.
const absl::string_view kSchemaDecisions = R"sql(
CREATE TABLE refusals (
  sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id octets_text NOT NULL REFERENCES tenants,
  verdict_id octets_text NOT NULL,
  at bigint NOT NULL,
  caller octets_text NOT NULL,
  user_id octets_text NOT NULL,
  user_upn octets_text NOT NULL,
  -- ca::FoldedUpn.
  folded_upn octets_text NOT NULL,
  device_id octets_text NOT NULL,
  request_id octets_text NOT NULL,
  policy_version octets_text NOT NULL,
  reasons bytea NOT NULL,
  UNIQUE (tenant_id, verdict_id)
);
CREATE INDEX refusals_by_tenant ON refusals (tenant_id, sequence);
CREATE INDEX refusals_by_device ON refusals (tenant_id, device_id, sequence);
CREATE INDEX refusals_by_user ON refusals (tenant_id, folded_upn, sequence);
CREATE INDEX refusals_by_time ON refusals (at);

-- Whoever writes an event holds the row of its tenant until the end of the transaction: so their
-- sequences become visible in their order.
CREATE TABLE newest_decision_events (
  tenant_id octets_text NOT NULL PRIMARY KEY REFERENCES tenants,
  sequence bigint NOT NULL
);
CREATE TABLE decision_events (
  tenant_id octets_text NOT NULL REFERENCES tenants,
  sequence bigint NOT NULL,
  kind octets_text NOT NULL,
  at bigint NOT NULL,
  device_id octets_text NOT NULL,
  user_id octets_text NOT NULL,
  user_upn octets_text NOT NULL,
  -- ca::FoldedUpn.
  folded_upn octets_text NOT NULL,
  verdict_id octets_text NOT NULL,
  reason octets_text NOT NULL,
  reasons bytea NOT NULL,
  PRIMARY KEY (tenant_id, sequence)
);
CREATE INDEX decision_events_by_device ON decision_events (tenant_id, device_id, at);
CREATE INDEX decision_events_by_user ON decision_events (tenant_id, folded_upn, at);
)sql";

}  // namespace hourglass::issuance::postgresql
