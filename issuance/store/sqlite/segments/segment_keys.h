// What is kept in memory of a segment that is not indexed yet.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_KEYS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_KEYS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/key_index/key_table.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_records.h"

namespace hourglass::issuance::sqlite {

// When the last leaf expires for which the segment has an intent, by (tenant id, root id).
using LastLeaves = absl::flat_hash_map<std::pair<std::string, std::string>, ca::Time>;

// Safe to call from several threads.
class SegmentKeys {
 public:
  SegmentKeys(const Segment& segment, const HashKey& key)
      : key_(key),
        number_(segment.number),
        segment_(segment),
        last_sequence_(segment.first_sequence - 1) {}

  // Takes in what was committed since, by whatever process. `file` is a connection to the segment.
  absl::Status CatchUp(Connection& file);
  // Takes in an intent that was committed: the next one after what is known, or one that is known.
  void Take(const IntentKeys& intent);

  // Errors: JOURNAL_UNAVAILABLE unless all intents of `segment`, which is not ACTIVE, are known.
  absl::Status CheckWhole(const Segment& segment) const;
  void Find(std::uint64_t hash, Candidates& candidates) const;
  std::int64_t number() const { return number_; }
  // The highest sequence number that is known; the one before the segment's first if there is none.
  std::int64_t last_sequence() const;
  // The segment with the ranges of what is known.
  Segment Summary() const;
  std::optional<ca::Time> LastLeafOf(absl::string_view tenant_id, absl::string_view root_id) const;
  LastLeaves AllLastLeaves() const;
  std::vector<KeyEntry> SortedEntries() const;

 private:
  const HashKey key_;
  const std::int64_t number_;
  mutable Mutex mutex_;
  Segment segment_ ABSL_GUARDED_BY(mutex_);
  std::int64_t last_sequence_ ABSL_GUARDED_BY(mutex_);
  KeyTable table_ ABSL_GUARDED_BY(mutex_);
  LastLeaves last_leaves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_KEYS_H_
