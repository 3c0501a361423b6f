// What a store says of itself while it is moved to another database, and afterwards.
#ifndef HOURGLASS_ISSUANCE_STORE_MOVE_MARK_H_
#define HOURGLASS_ISSUANCE_STORE_MOVE_MARK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// At most one in a store. A store that has one is served by nobody.
struct MoveMark {
  enum class Kind {
    kInto,  // it is being filled from another one
    kAway,  // it was moved to another one
  };
  Kind kind = Kind::kInto;
  // The other store, for people: `sqlite:/var/lib/hourglass/data`.
  std::string other = "";
  // Which store that is: equal for the same one, wherever it is reached.
  std::string other_id = "";
  Timestamp at = {};         // when the move began, or was done
  std::int64_t records = 0;  // that were moved so far

  bool operator==(const MoveMark&) const = default;
};

// JOURNAL_UNAVAILABLE: why the store must not be served, and what to do.
absl::Status RefuseMarked(const MoveMark& mark);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_MOVE_MARK_H_
