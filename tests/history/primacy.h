// Which root was primary when: what a tenant's administrative actions say, replayed, and what the
// calls of administrators say about the time.
#ifndef HOURGLASS_TESTS_HISTORY_PRIMACY_H_
#define HOURGLASS_TESTS_HISTORY_PRIMACY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "tests/history/history.h"
#include "tests/history/violation.h"

namespace hourglass::history {

// The time from one change of the primary to the next. Points into the histories that it was made
// of.
struct Epoch {
  std::string root_id;                    // empty where none was primary
  const RootAction* promotion = nullptr;  // null of epoch 0, before the first one
  // The promotion committed after `not_before`, when the call that asked for it was sent, and
  // before `done_by`, when somebody had an answer that shows it or a later change. The calls are
  // null where nobody knows.
  Uptime not_before = Uptime::min();
  Uptime done_by = Uptime::max();
  const AdministrativeCall* asked_by = nullptr;
  const AdministrativeCall* shown_by = nullptr;
};

struct Primacy {
  // By their number: epoch 0 is the first. Both times grow with it.
  std::vector<Epoch> epochs;

  // Null for a number that the actions do not reach.
  const Epoch* Of(std::uint64_t number) const {
    return number < epochs.size() ? &epochs[number] : nullptr;
  }
};

// Replays the actions by their sequence. Adds kMoveIllegal, kTwoPrimaries and
// kTenantContradictsItself; `calls`, all of this tenant, place the epochs in time, and add
// kChangeMissing and kPromotionsReordered.
Primacy ReplayActions(const TenantHistory& tenant,
                      absl::Span<const AdministrativeCall* const> calls,
                      std::vector<Violation>* violations);

}  // namespace hourglass::history

#endif  // HOURGLASS_TESTS_HISTORY_PRIMACY_H_
