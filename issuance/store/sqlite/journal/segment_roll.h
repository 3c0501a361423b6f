// How the journal goes on in a new segment, and how old ones leave it.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENT_ROLL_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENT_ROLL_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/segments/journal_files.h"

namespace hourglass::issuance::sqlite {

// All of these need a transaction of the caller's on the main file, which holds its write lock.

// Makes the first segment unless there is one.
absl::Status StartJournal(Connection& main, const JournalFolder& folder);
// Seals the active segment, of which `keys` knows everything, writes what it knows of the roots'
// last leaves to the main file, and makes the next segment. Errors leave the caller to roll back;
// a file that is in no catalog is removed by the next attempt, or when the store is opened.
absl::Status StartNextSegment(Connection& main, const JournalFolder& folder,
                              const SegmentKeys& keys);
// The same, where sequence numbers go on with `first_sequence`, a greater one than any so far.
absl::Status StartNextSegmentAt(Connection& main, const JournalFolder& folder,
                                const SegmentKeys& keys, std::int64_t first_sequence);

struct Dropped {
  std::vector<std::int64_t> segments;
  std::vector<std::int64_t> key_runs;
};
// Takes the segments out of the catalog all of whose records were intended before `before`, and
// whose certificates expired by then; the active one too, if it is such. Their files are
// dropped after the commit.
absl::StatusOr<Dropped> DropSegments(Connection& main, JournalFiles& files, Timestamp before);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENT_ROLL_H_
