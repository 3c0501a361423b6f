// The states of a root and the legal moves between them, as one pure function. All of it is safe to
// call from several threads.
#ifndef HOURGLASS_CA_ISSUERS_ROOT_STATES_H_
#define HOURGLASS_CA_ISSUERS_ROOT_STATES_H_

#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/time.h"

namespace hourglass::ca {

// What a root is to its tenant. StateAfter says which state may follow which.
enum class RootState {
  kStaged,     // in the trust bundle, does not sign yet
  kPrimary,    // signs; at most one a tenant
  kRetiring,   // was primary; in the trust bundle until its last leaf has expired
  kRetired,    // out of the trust bundle, never signs again
  kDiscarded,  // was never primary and never will be
};

// What is done to a root. Promoting makes one PRIMARY that never was, rolling back one that was.
// Demoting makes it RETIRING, when another root becomes PRIMARY. Retiring ends a root that was
// primary, discarding one that never was.
enum class RootMove { kPromote, kRollBack, kDemote, kRetire, kDiscard };

// `STAGED`, `PRIMARY`, `RETIRING`, `RETIRED` or `DISCARDED`. Lives as long as the process.
absl::string_view RootStateName(RootState state);
// The state of this name; nullopt for any other text.
std::optional<RootState> RootStateNamed(absl::string_view name);
// `promote`, `roll back to`, `demote`, `retire` or `discard`. Lives as long as the process.
absl::string_view RootMoveName(RootMove move);

// Whether relying parties must trust a root in this state.
bool InTrustBundle(RootState state);

// Whether a root in this state keeps its key, whoever asks: STAGED, PRIMARY, RETIRING. The others
// have ended, and nothing leads back.
bool NeedsItsKey(RootState state);

// What a move depends on beside the state.
struct RootFacts {
  RootState state;  // before the move
  // notAfter of the last leaf to expire of those that it signed; empty if it signed none.
  std::optional<Time> last_leaf_not_after;
  Time not_after;  // the root's own
  Time now;        // when the move is made
};

// The state after `move`. Legal: promote STAGED, and roll back to RETIRING, until the root has
// expired; demote PRIMARY (only ever as the other half of another root's becoming it); retire
// RETIRING once its last leaf has expired; discard STAGED. Everything else: ROOT_MOVE_ILLEGAL with
// field `root_id` and a message that names the moves that would be legal, or when. Which of several
// RETIRING roots may be gone back to is not decided here.
absl::StatusOr<RootState> StateAfter(const RootFacts& facts, RootMove move);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ISSUERS_ROOT_STATES_H_
