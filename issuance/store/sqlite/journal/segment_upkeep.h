// What is done about sealed segments beside the requests: they are indexed, and key runs merged.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENT_UPKEEP_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENT_UPKEEP_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/store/sqlite/engine/sqlite_connections.h"
#include "issuance/store/sqlite/journal/upkeep_pace.h"
#include "issuance/store/sqlite/key_index/key_table.h"
#include "issuance/store/sqlite/segments/journal_files.h"

namespace hourglass::issuance::sqlite {

struct UpkeepOptions {
  std::chrono::milliseconds retry_after;
  // Null, or what SqliteStoreOptions::upkeep_observer says.
  std::function<void(const absl::Status&)> observer;
};

// Has a thread of its own, which goes on with what an earlier process left. Several processes may
// do so at once. What fails, for want of space say, is told to the observer and tried again; until
// then the segment is read without indices, and nothing is lost. It goes on slowly (UpkeepPace): a
// segment is indexed some seconds after it was sealed.
class SegmentUpkeep {
 public:
  // `connections` and `files` must outlive this object.
  SegmentUpkeep(Connections* connections, JournalFiles* files, UpkeepOptions options);
  // Waits for the step under way.
  ~SegmentUpkeep();
  SegmentUpkeep(const SegmentUpkeep&) = delete;
  SegmentUpkeep& operator=(const SegmentUpkeep&) = delete;

  // There may be something to do.
  void Wake();

 private:
  void Run();
  // Tells the observer what it was not told last.
  void Tell(const absl::Status& status);
  // Called now and then within a step, and waits a while where it goes on too fast; not while this
  // object goes.
  void Rest();
  // One step each; false if there was none to do.
  absl::StatusOr<bool> IndexOne();
  absl::StatusOr<bool> MergeTwo();

  Connections& connections_;
  JournalFiles& files_;
  const UpkeepOptions options_;
  Mutex mutex_;
  ConditionVariable changed_;
  bool woken_ ABSL_GUARDED_BY(mutex_) = true;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Of the thread alone:
  UpkeepPace pace_;
  absl::Status told_;
  std::thread thread_;
};

// Writes a run of the `entries` of one segment, which are in their order, and returns the path of
// its file.
absl::StatusOr<std::string> WriteKeyRun(const JournalFolder& folder, const HashKey& key,
                                        std::int64_t segment, const std::vector<KeyEntry>& entries);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENT_UPKEEP_H_
