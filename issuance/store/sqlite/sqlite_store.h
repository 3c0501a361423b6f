// A store in one SQLite file, for one machine.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_STORE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/sqlite/engine/sqlite_store_options.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// Where the store of a service lies in its data directory.
std::string SqliteStorePath(absl::string_view data_directory);

// Opens the file at `path`, or makes it with mode 0600 in a folder that exists, and brings its
// schema up to date. A file that is there keeps no rights for group and others. Beside it lie
// `path-wal` and `path-shm`, and the folder `path.journal` with the journal's files; all belong on
// a local file system, and a copy of a part is no backup. Writes go through one connection, one at
// a time; reads do not wait for them. A thread of the store's own indexes what was sealed. Errors:
// JOURNAL_UNAVAILABLE with a message with the very file, also for a file of another program
// or of a newer schema; neither is changed. Where a newer program migrates the file while it is
// open, what is there goes on, but no root is added or changed: JOURNAL_UNAVAILABLE.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(absl::string_view path,
                                                       const SqliteStoreOptions& options = {});

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_STORE_H_
