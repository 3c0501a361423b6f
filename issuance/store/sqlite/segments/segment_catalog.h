// Which segments and key runs the journal has: tables of the main file.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_CATALOG_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_CATALOG_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/records.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/key_index/key_hash.h"

namespace hourglass::issuance::sqlite {

// ACTIVE takes intents; there is one, the last. SEALED is never written again but for its indices;
// its records are found by memory and by reading it whole. INDEXED has indices, and is in a run.
enum class SegmentState { kActive, kSealed, kIndexed };

struct Segment {
  std::int64_t number = 0;
  SegmentState state = SegmentState::kActive;
  std::int64_t first_sequence = 0;
  // Of its records; only where it is not ACTIVE.
  std::int64_t last_sequence = 0;
  Timestamp first_intended_at;
  Timestamp last_intended_at;
  ca::Time last_not_after;
};

// The entries of segments `first_segment` to `last_segment`, as far as they were there.
struct KeyRunRow {
  std::int64_t number = 0;
  std::int64_t first_segment = 0;
  std::int64_t last_segment = 0;
  // KeyRunFacts::checksum; 0 of a run of before schema version 6, which is made again.
  std::int64_t checksum = 0;
};

struct Catalog {
  std::int64_t version = 0;       // grows with every change
  std::vector<Segment> segments;  // by number, and so by sequence
  std::vector<KeyRunRow> runs;    // by first segment

  const Segment* Find(std::int64_t number) const;
  // The segment that has `sequence`, or null.
  const Segment* HolderOf(std::int64_t sequence) const;
};

// Whether the journal can be read by it: the last segment alone is ACTIVE, sequence numbers ascend,
// and every INDEXED segment is in a run. Errors: JOURNAL_UNAVAILABLE.
absl::Status CheckCatalog(const Catalog& catalog);

absl::StatusOr<HashKey> ReadHashKey(Connection& main);
absl::StatusOr<std::int64_t> ReadCatalogVersion(Connection& main);
absl::StatusOr<Catalog> ReadCatalog(Connection& main);

// All of these need a transaction of the caller's.
// Returns the new version, which no row had before: a number for a run.
absl::StatusOr<std::int64_t> RaiseCatalogVersion(Connection& main);
absl::Status PutSegment(Connection& main, const Segment& segment);
absl::Status AddKeyRun(Connection& main, const KeyRunRow& run);
absl::Status RemoveKeyRun(Connection& main, std::int64_t number);
// And the releases that were late for it. The segment is dropped from then on.
absl::Status RemoveSegment(Connection& main, const Segment& segment);

// Which segments were dropped, and not forgotten.
absl::StatusOr<std::vector<std::int64_t>> ReadDropped(Connection& main);
// Those that a call with a time a day or more before `now` has seen. Sees all.
absl::StatusOr<std::vector<std::int64_t>> SeeDropped(Connection& main, Timestamp now);
absl::Status ForgetDropped(Connection& main, std::int64_t number);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_CATALOG_H_
