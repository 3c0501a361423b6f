// A whole store goes from one database to another.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_STORE_MOVE_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_STORE_MOVE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/store/transfer/movable_store.h"

namespace hourglass::issuance {

struct MoveProgress {
  enum class Step { kReading, kWriting, kComparing };
  Step step = Step::kReading;
  std::int64_t done = 0;   // records
  std::int64_t total = 0;  // 0 while it is not known: of kReading
};

struct MoveOptions {
  Timestamp now;
  // Looks at everything, and changes nothing.
  bool dry_run = false;
  // Records a transaction.
  std::size_t portion = 500;
  // Called after each portion.
  std::function<void(const MoveProgress&)> observer = nullptr;
};

struct MoveReport {
  // As Parts() has them.
  std::vector<std::int64_t> counts;
  std::int64_t total = 0;
  // Of these, what an interrupted run had brought over already.
  std::int64_t found = 0;
  // SHA-256 over the canonical octets of all rows in their order, in hexadecimal.
  std::string sha256;
};

// Brings all of `from` into `to`, which is empty or in the middle of this very move: an interrupted
// one goes on where it was. First reads the whole source, and refuses what cannot be moved; then
// writes; then reads both, row by row. Only where they are equal the source is marked as moved, and
// then the target as complete: never are both without a mark once the move has begun, until
// somebody reopens one. Nobody may serve either meanwhile. Errors: as MovableStore; of it nothing
// is changed: the source is marked; the target is not empty, or filled from another source, or
// moved away itself; the source has what cannot be moved (CheckMovable). And JOURNAL_UNAVAILABLE
// with the first difference where the two differ, which leaves the target half moved.
absl::StatusOr<MoveReport> MoveStore(MovableStore& from, MovableStore& to,
                                     const MoveOptions& options);

// Counts and hashes a whole store, as MoveStore does. Errors: as MovableStore, CheckMovable.
absl::StatusOr<MoveReport> SurveyStore(MovableStore& store, const MoveOptions& options);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_STORE_MOVE_H_
