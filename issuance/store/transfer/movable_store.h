// A store of either database, as it is moved: by whoever moves, while nobody serves it.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_MOVABLE_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_MOVABLE_STORE_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "issuance/store/move_mark.h"
#include "issuance/store/transfer/parts.h"

namespace hourglass::issuance {

// For one thread. Errors of all: JOURNAL_UNAVAILABLE where the database cannot be read or written
// (the message says why: disk full, damaged, no answer), INTERNAL_ERROR for what a rule of it
// forbids.
class MovableStore {
 public:
  virtual ~MovableStore() = default;
  MovableStore(const MovableStore&) = delete;
  MovableStore& operator=(const MovableStore&) = delete;

  // For people: `sqlite:/var/lib/hourglass/data`.
  virtual std::string name() const = 0;
  // Equal for the same store however it is reached; empty where it is not there yet.
  virtual std::string id() const = 0;
  virtual absl::StatusOr<std::optional<MoveMark>> Mark() = 0;

  // At most `limit` rows after the key of `after`, or the first where it is null, in the order of
  // their keys. The whole row may be given for `after`.
  virtual absl::StatusOr<std::vector<Row>> Read(const Part& part, const Row* after,
                                                std::size_t limit) = 0;

  // Of a target. JOURNAL_UNAVAILABLE with what is there, unless it holds nothing but a time mark.
  virtual absl::Status CheckEmpty() = 0;
  // Makes it where it is not there yet, takes the time mark away, and marks it as being filled.
  virtual absl::Status Begin(const MoveMark& mark) = 0;
  // The row, or its key alone, with the greatest key: what was written last.
  virtual absl::StatusOr<std::optional<Row>> Last(const Part& part) = 0;
  // Writes rows that follow those that are there, and notes that there are more. Durable, all or,
  // of the journal in SQLite, the first of them: Last tells.
  virtual absl::Status Write(const Part& part, absl::Span<const Row> rows) = 0;
  // What follows from the rows: once all are written. A second time changes nothing.
  virtual absl::Status Finish() = 0;
  // Takes the mark away: it may be served.
  virtual absl::Status Complete() = 0;

  // Of a source: marks it as moved away.
  virtual absl::Status MarkMoved(const MoveMark& mark) = 0;

 protected:
  MovableStore() = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_MOVABLE_STORE_H_
