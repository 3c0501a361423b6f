// What whoever opens a SQLite store may choose.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_STORE_OPTIONS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_STORE_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

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

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_ENGINE_SQLITE_STORE_OPTIONS_H_
