// How intents and releases are written, as issuance/store/journal_store.h describes it.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_JOURNAL_APPENDER_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_JOURNAL_APPENDER_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "issuance/store/sqlite/engine/fence.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/key_index/key_table.h"
#include "issuance/store/sqlite/segments/journal_files.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// When a segment is sealed: at the first intent beyond either.
struct SegmentLimits {
  std::int64_t intents = 65536;
  // Or retention, which drops whole segments, would keep the old records of a small journal.
  std::chrono::hours span = std::chrono::hours(24 * 30);
};

// For one thread at a time, and always with the same connection to the main file.
class JournalAppender {
 public:
  // `files` must outlive this object.
  JournalAppender(JournalFiles* files, const SegmentLimits& limits)
      : files_(*files), limits_(limits) {}

  // The main file's write lock is held from the first look at the fence until what passed it is on
  // the disk (promise 6), whichever of the two files that went to. Sets `sealed` if a segment was.
  absl::StatusOr<std::vector<absl::Status>> Append(Connection& main,
                                                   absl::Span<const JournalWrite> writes,
                                                   bool& sealed);

 private:
  // An intent of the journal, and the segment that it is in.
  struct Found {
    std::int64_t sequence;
    std::int64_t segment;
    RecordedIntent intent;
  };
  // What a write is answered: OK, or why it is refused. A type of its own, since a StatusOr<Status>
  // takes an error for its value.
  struct Answer {
    absl::Status status;
  };
  using Matches = absl::FunctionRef<bool(const RecordedIntent&)>;

  // With the write lock: brings all that is remembered up to date.
  absl::Status LookAround(Connection& main);
  bool IsFull(absl::Span<const JournalWrite> writes) const;
  absl::StatusOr<std::vector<absl::Status>> AppendAll(Connection& main,
                                                      absl::Span<const JournalWrite> writes);
  // An error where a file fails, which fails the batch; a refusal concerns the one write.
  absl::StatusOr<Answer> AppendOne(Connection& main, const Intent& intent);
  absl::StatusOr<Answer> AppendOne(Connection& main, const Release& release);
  absl::StatusOr<Answer> CheckFence(Connection& main, const Intent& intent);
  absl::StatusOr<bool> InsertLate(Connection& main, const Found& found, const Release& release);
  absl::StatusOr<std::optional<Found>> Find(std::uint64_t hash, Matches matches);

  JournalFiles& files_;
  const SegmentLimits limits_;
  Fence fence_;
  std::shared_ptr<const JournalView> view_;
  std::int64_t open_segment_ = 0;
  std::unique_ptr<Connection> segment_;
  // Of the transaction under way.
  std::int64_t next_sequence_ = 0;
  KeyTable new_keys_;
  std::vector<IntentKeys> new_intents_;
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_JOURNAL_APPENDER_H_
