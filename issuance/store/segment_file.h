// The files of the journal: segments, each a SQLite database, and key runs.
#ifndef HOURGLASS_ISSUANCE_STORE_SEGMENT_FILE_H_
#define HOURGLASS_ISSUANCE_STORE_SEGMENT_FILE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/sqlite.h"

namespace hourglass::issuance::sqlite {

// The folder of one store's journal, `PATH.journal` beside its file, mode 0700. Segment 7 is
// `00000007.sqlite`, key run 7 `00000007.keys`. Errors of all: JOURNAL_UNAVAILABLE.
class JournalFolder {
 public:
  // Of the store at `store_path`. Makes the folder unless it is there.
  static absl::StatusOr<JournalFolder> Open(const std::string& store_path,
                                            std::chrono::milliseconds busy_timeout);

  std::string SegmentPath(std::int64_t number) const;
  std::string KeyRunPath(std::int64_t number) const;
  // Where a run is written before it has a number: another name each time.
  std::string NewKeyRunPath() const;

  // An empty segment, on the disk, in place of what an interrupted run left under its name.
  absl::StatusOr<std::unique_ptr<Connection>> MakeSegment(std::int64_t number) const;
  absl::StatusOr<std::unique_ptr<Connection>> OpenSegment(std::int64_t number) const;
  // Its intents by tenant and time, by user and by device, as issuance/store/sqlite_selection.h
  // names them, by device last. A second time changes nothing, and one after an interruption goes
  // on. `pause` is called now and then, on this thread.
  absl::Status IndexSegment(
      std::int64_t number, const std::function<void()>& pause = [] {}) const;

  // Gives a finished run its number.
  absl::Status NameKeyRun(const std::string& new_path, std::int64_t number) const;
  // Each with what lies beside it; nothing where it is not there.
  void RemoveSegment(std::int64_t number) const;
  void RemoveKeyRun(std::int64_t number) const;
  // Whether a segment here has an intent.
  bool HoldsRecords() const { return !SegmentsWithRecords().empty(); }
  // Removes every file of the journal that is none of these. A segment that holds records and has a
  // higher number than all of these, which a main file older than the folder knows nothing of, is
  // not removed but set aside, under its name with `.set-aside` and, where that is taken, a number
  // behind it. Errors: JOURNAL_UNAVAILABLE where it cannot be.
  absl::Status RemoveAllBut(const std::vector<std::int64_t>& segments,
                            const std::vector<std::int64_t>& key_runs) const;

 private:
  // By number; where a name is none, 0.
  std::multimap<std::int64_t, std::string> SegmentsWithRecords() const;
  absl::Status SetAside(const std::string& segment) const;
  JournalFolder(std::string path, std::chrono::milliseconds busy_timeout)
      : path_(std::move(path)), busy_timeout_(busy_timeout) {}

  std::string path_;
  std::chrono::milliseconds busy_timeout_;
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SEGMENT_FILE_H_
