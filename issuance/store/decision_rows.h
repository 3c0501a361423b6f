// How rows about refusals and events are read, of SQLite and of PostgreSQL: `Rows` is that of
// either. All of it is safe to call from several threads, each with rows of its own.
#ifndef HOURGLASS_ISSUANCE_STORE_DECISION_ROWS_H_
#define HOURGLASS_ISSUANCE_STORE_DECISION_ROWS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/decision_rules.h"

namespace hourglass::issuance {

// Each takes its columns of the current row. Errors: JOURNAL_UNAVAILABLE for what no program
// writes: the table is damaged.
template <typename Rows>
absl::StatusOr<RefusalRecord> TakeRefusal(Rows& rows) {
  RefusalRecord refusal;
  refusal.sequence = static_cast<std::uint64_t>(rows.TakeInteger());
  refusal.tenant_id = rows.TakeOctets();
  refusal.verdict_id = rows.TakeOctets();
  refusal.at = TakeMoment(rows).value_or(Timestamp());
  refusal.caller = rows.TakeOctets();
  refusal.user_id = rows.TakeOctets();
  refusal.user_upn = rows.TakeOctets();
  refusal.device_id = rows.TakeOctets();
  refusal.request_id = rows.TakeOctets();
  refusal.policy_version = rows.TakeOctets();
  refusal.reasons = rows.TakeOctets();
  return refusal;
}

template <typename Rows>
absl::StatusOr<DecisionEvent> TakeEvent(Rows& rows) {
  DecisionEvent event;
  event.tenant_id = rows.TakeOctets();
  event.sequence = static_cast<std::uint64_t>(rows.TakeInteger());
  ASSIGN_OR_RETURN(event.kind, EventKindNamed(rows.TakeOctets()));
  event.at = TakeMoment(rows).value_or(Timestamp());
  event.device_id = rows.TakeOctets();
  event.user_id = rows.TakeOctets();
  event.user_upn = rows.TakeOctets();
  event.verdict_id = rows.TakeOctets();
  event.reason = rows.TakeOctets();
  event.reasons = rows.TakeOctets();
  return event;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DECISION_ROWS_H_
