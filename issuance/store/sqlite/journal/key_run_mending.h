// Key runs are made from segments, and made again where they are missing.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_KEY_RUN_MENDING_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_KEY_RUN_MENDING_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/sqlite/segments/segment_keys.h"

namespace hourglass::issuance::sqlite {

// Both need a transaction of the caller's on the main file.

// Writes the run of one segment and enters it into the catalog.
absl::Status AddKeyRunOf(Connection& main, const JournalFolder& folder, const HashKey& key,
                         const SegmentKeys& keys);

// Replaces every run whose file is missing, does not open, or is not the one that the catalog means
// (OpenKeyRun), by runs of its segments; how many. Reads those segments whole, tens of milliseconds
// each.
absl::StatusOr<int> MendKeyRuns(Connection& main, const JournalFolder& folder, const HashKey& key);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_KEY_RUN_MENDING_H_
