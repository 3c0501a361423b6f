// Where whoever is told of decisions has got to.
#ifndef HOURGLASS_ISSUANCE_DECISIONS_EVENT_CURSOR_H_
#define HOURGLASS_ISSUANCE_DECISIONS_EVENT_CURSOR_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/decision_store.h"

namespace hourglass::issuance {

// `7-0123456789abcdef`: the event's sequence, and a hash of what it is. So a cursor of before a
// backup was put back is told from the event that has its number since.
std::string CursorOf(const DecisionEvent& event);

// The sequence of the tenant's event that the cursor is of. Errors: CURSOR_UNKNOWN with field
// `cursor` where it is of none that is kept; JOURNAL_UNAVAILABLE.
absl::StatusOr<std::uint64_t> SequenceAt(DecisionStore& store, absl::string_view tenant_id,
                                         absl::string_view cursor);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DECISIONS_EVENT_CURSOR_H_
