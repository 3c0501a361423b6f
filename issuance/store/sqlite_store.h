// A store in one SQLite file, for one machine.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_STORE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_STORE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

struct SqliteStoreOptions {
  // How long an operation waits for another process that holds the file's lock.
  std::chrono::milliseconds busy_timeout = std::chrono::seconds(5);
  // After how many intents, and after what time between the first intent of a file and the next
  // one, the journal goes on in a new file.
  std::int64_t segment_intents = 65536;
  std::chrono::hours segment_span = std::chrono::hours(24 * 30);
  // After what time the store's own thread tries again what failed.
  std::chrono::milliseconds upkeep_retry_after = std::chrono::seconds(10);
  // Called by that thread, until the store is gone: with the error when its work fails, and again
  // only when it fails in another way; with OK when all of it is done after a failure. Requests go
  // on meanwhile, but the more is left undone, the more memory and time the journal takes. Must not
  // use the store.
  std::function<void(const absl::Status&)> upkeep_observer = nullptr;
  // Told of each segment that the file at `path` knows nothing of, and that was therefore set
  // aside: its new name. Called while the store is opened and, seldom, by a write. Must not use the
  // store.
  std::function<void(const std::string& path)> set_aside_observer = nullptr;
};

// Opens the file at `path`, or makes it with mode 0600 in a folder that exists, and brings its
// schema up to date. A file that is there keeps no rights for group and others. Beside it lie
// `path-wal` and `path-shm`, and the folder `path.journal` with the journal's files; all belong on
// a local file system, and a copy of a part is no backup. Writes go through one connection, one at
// a time; reads do not wait for them. A thread of the store's own indexes what was sealed. Errors:
// JOURNAL_UNAVAILABLE with a message with the very file, also for a file of another program
// or of a newer schema; neither is changed.
absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(absl::string_view path,
                                                       const SqliteStoreOptions& options = {});

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_STORE_H_
