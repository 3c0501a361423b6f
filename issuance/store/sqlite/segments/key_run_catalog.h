// Whether a key run's file is the one that the catalog means.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_KEY_RUN_CATALOG_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_KEY_RUN_CATALOG_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/key_index/key_run.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_file.h"

namespace hourglass::issuance::sqlite {

// OK where `run` was written for this row, of these segments, and has all that the last of them
// holds. A run of another history, or of an older file's number, is not: a request id could pass
// twice. Errors: JOURNAL_UNAVAILABLE.
absl::Status CheckAgainst(const Catalog& catalog, const KeyRunRow& row, const KeyRun& run);

// Opens the file of the row, and checks it. Errors: JOURNAL_UNAVAILABLE.
absl::StatusOr<std::shared_ptr<const KeyRun>> OpenKeyRun(const JournalFolder& folder,
                                                         const HashKey& key, const Catalog& catalog,
                                                         const KeyRunRow& row);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_KEY_RUN_CATALOG_H_
