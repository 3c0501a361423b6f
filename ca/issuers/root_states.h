// The states of a root and the legal moves between them, as one pure function.
#ifndef HOURGLASS_CA_ISSUERS_ROOT_STATES_H_
#define HOURGLASS_CA_ISSUERS_ROOT_STATES_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"

namespace hourglass::ca {

enum class RootState {
  kStaged,     // in the trust bundle, does not sign yet
  kPrimary,    // signs; at most one a tenant
  kRetiring,   // was primary; in the trust bundle until its last leaf has expired
  kRetired,    // out of the trust bundle, never signs again
  kDiscarded,  // was never primary and never will be
};

enum class RootMove { kPromote, kDemote, kRetire, kDiscard };

// `STAGED`, `promote` and so on.
absl::string_view RootStateName(RootState state);
absl::string_view RootMoveName(RootMove move);

// Whether relying parties must trust a root in this state.
bool InTrustBundle(RootState state);

// Whether a root in this state keeps its key, whoever asks: STAGED, PRIMARY, RETIRING. The others
// have ended, and nothing leads back.
bool NeedsItsKey(RootState state);

// What a move depends on beside the state.
struct RootFacts {
  RootState state;
  // When the last leaf that it signed expires; empty if it signed none.
  std::optional<Time> last_leaf_not_after;
  Time not_after;  // the root's own
  Time now;
};

// The state after `move`. Legal: promote STAGED or RETIRING (rollback) while the root is valid;
// demote PRIMARY (only ever as the other half of another root's promotion); retire RETIRING once
// its last leaf has expired; discard STAGED. Everything else: ROOT_MOVE_ILLEGAL with field
// `root_id` and a message that names the moves that would be legal, or when.
absl::StatusOr<RootState> StateAfter(const RootFacts& facts, RootMove move);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ISSUERS_ROOT_STATES_H_
