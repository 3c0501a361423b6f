// The statements about refusals and events, which SQLite and PostgreSQL share: as
// issuance/store/access_statements.h has them. Their rows are read by
// issuance/store/decision_rows.h.
#ifndef HOURGLASS_ISSUANCE_STORE_DECISION_STATEMENTS_H_
#define HOURGLASS_ISSUANCE_STORE_DECISION_STATEMENTS_H_

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

#define HOURGLASS_REFUSAL_COLUMNS                                                                 \
  "tenant_id, verdict_id, at, caller, user_id, user_upn, device_id, request_id, policy_version, " \
  "reasons"
#define HOURGLASS_EVENT_COLUMNS \
  "tenant_id, sequence, kind, at, device_id, user_id, user_upn, verdict_id, reason, reasons"

// The columns of HOURGLASS_REFUSAL_COLUMNS, the folded UPN.
inline constexpr absl::string_view kInsertRefusal =
    "INSERT INTO refusals (" HOURGLASS_REFUSAL_COLUMNS
    ", folded_upn) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
    "ON CONFLICT (tenant_id, verdict_id) DO NOTHING";
// What follows is the sequence before which they are, how many; for TakeRefusal. The tenant first,
// and what they are found by second.
#define HOURGLASS_SELECT_REFUSALS(condition) \
  "SELECT sequence, " HOURGLASS_REFUSAL_COLUMNS " FROM refusals WHERE tenant_id = $1 " condition
inline constexpr absl::string_view kSelectRefusals =
    HOURGLASS_SELECT_REFUSALS("AND sequence < $2 ORDER BY sequence DESC LIMIT $3");
inline constexpr absl::string_view kSelectRefusalsByVerdict = HOURGLASS_SELECT_REFUSALS(
    "AND verdict_id = $2 AND sequence < $3 ORDER BY sequence DESC LIMIT $4");
inline constexpr absl::string_view kSelectRefusalsByDevice = HOURGLASS_SELECT_REFUSALS(
    "AND device_id = $2 AND sequence < $3 ORDER BY sequence DESC LIMIT $4");
inline constexpr absl::string_view kSelectRefusalsByUser = HOURGLASS_SELECT_REFUSALS(
    "AND folded_upn = $2 AND sequence < $3 ORDER BY sequence DESC LIMIT $4");
// The device, the folded UPN.
inline constexpr absl::string_view kSelectRefusalsByBoth = HOURGLASS_SELECT_REFUSALS(
    "AND device_id = $2 AND folded_upn = $3 AND sequence < $4 ORDER BY sequence DESC LIMIT $5");
#undef HOURGLASS_SELECT_REFUSALS
// The time before which refusals are old, and that of events.
inline constexpr absl::string_view kHasOldDecisions =
    "SELECT EXISTS (SELECT 1 FROM refusals WHERE at < $1) "
    "OR EXISTS (SELECT 1 FROM decision_events WHERE at < $2)";
// The time, how many.
inline constexpr absl::string_view kDeleteRefusals =
    "DELETE FROM refusals WHERE sequence IN "
    "(SELECT sequence FROM refusals WHERE at < $1 ORDER BY at LIMIT $2)";

// The tenant. Makes the row, or leaves it as it is, and holds it against change until the
// transaction ends: so sequences become visible in their order.
inline constexpr absl::string_view kHoldNewestEvent =
    "INSERT INTO newest_decision_events (tenant_id, sequence) VALUES ($1, 0) "
    "ON CONFLICT (tenant_id) DO UPDATE SET sequence = newest_decision_events.sequence";
// The tenant.
inline constexpr absl::string_view kSelectNewestEvent =
    "SELECT sequence FROM newest_decision_events WHERE tenant_id = $1";
// The sequence, the tenant.
inline constexpr absl::string_view kRaiseNewestEvent =
    "UPDATE newest_decision_events SET sequence = $1 WHERE tenant_id = $2";
inline constexpr absl::string_view kSelectNewestEvents =
    "SELECT tenant_id, sequence FROM newest_decision_events";
// The tenant, the time since which, the device, the folded UPN; either empty where the event names
// none. Told is what an event about the device says, or one about the user, of him or of all.
inline constexpr absl::string_view kIsEventTold =
    "SELECT EXISTS (SELECT 1 FROM decision_events WHERE tenant_id = $1 AND at >= $2 AND "
    "(device_id = $3 AND (folded_upn = '' OR folded_upn = $4) OR "
    "device_id = '' AND folded_upn <> '' AND folded_upn = $4))";
// The columns of HOURGLASS_EVENT_COLUMNS, the folded UPN.
inline constexpr absl::string_view kInsertEvent =
    "INSERT INTO decision_events (" HOURGLASS_EVENT_COLUMNS
    ", folded_upn) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
// The tenant, the sequence; for TakeEvent, as the next: with how many.
inline constexpr absl::string_view kSelectEvent = "SELECT " HOURGLASS_EVENT_COLUMNS
                                                  " FROM decision_events "
                                                  "WHERE tenant_id = $1 AND sequence = $2";
inline constexpr absl::string_view kSelectEvents =
    "SELECT " HOURGLASS_EVENT_COLUMNS
    " FROM decision_events "
    "WHERE tenant_id = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
// The tenant, the time: the first that is kept; NULL where none is by that.
inline constexpr absl::string_view kSelectFirstKeptEvent =
    "SELECT min(sequence) FROM decision_events WHERE tenant_id = $1 AND at >= $2";
// The tenant, the sequence before which, how many.
inline constexpr absl::string_view kDeleteEvents =
    "DELETE FROM decision_events WHERE tenant_id = $1 AND sequence IN "
    "(SELECT sequence FROM decision_events WHERE tenant_id = $1 AND sequence < $2 "
    "ORDER BY sequence LIMIT $3)";

#undef HOURGLASS_EVENT_COLUMNS
#undef HOURGLASS_REFUSAL_COLUMNS

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DECISION_STATEMENTS_H_
