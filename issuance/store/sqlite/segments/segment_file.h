// The files of the journal: segments, each a SQLite database, and key runs.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_FILE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_FILE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

// What the catalog says of the folder.
struct KnownFiles {
  std::vector<std::int64_t> segments;
  std::vector<std::int64_t> dropped_segments;  // not deleted yet
  std::vector<std::int64_t> key_runs;
};

// The folder of one store's journal, `PATH.journal` beside its file, mode 0700. Segment 7 is
// `00000007.sqlite`, key run 7 `00000007.keys`. Files of any other name are never touched
// (issuance/store/sqlite/engine/journal_file_names.h). Errors of all: JOURNAL_UNAVAILABLE, with the
// file.
class JournalFolder {
 public:
  // Told of each segment that was set aside: its new name. Must not use the store.
  using SetAsideObserver = std::function<void(const std::string& path)>;

  // Of the store at `store_path`. Makes the folder unless it is there.
  static absl::StatusOr<JournalFolder> Open(const std::string& store_path,
                                            std::chrono::milliseconds busy_timeout,
                                            SetAsideObserver observer = nullptr);

  std::string SegmentPath(std::int64_t number) const;
  std::string KeyRunPath(std::int64_t number) const;
  // Where a run is written before it has a number: another name each time.
  std::string NewKeyRunPath() const;

  // An empty segment, on the disk. What is under its name is deleted where it is proved empty, as
  // an interrupted run leaves it, and else set aside.
  absl::StatusOr<std::unique_ptr<Connection>> MakeSegment(std::int64_t number) const;
  absl::StatusOr<std::unique_ptr<Connection>> OpenSegment(std::int64_t number) const;
  // Its intents by tenant and time, by user and by device, as
  // issuance/store/sqlite/segments/sqlite_selection.h names them, by device last. A second time
  // changes nothing, and one after an interruption goes on. `pause` is called now and then, on this
  // thread.
  absl::Status IndexSegment(
      std::int64_t number, const std::function<void()>& pause = [] {}) const;

  // Gives a finished run its number.
  absl::Status NameKeyRun(const std::string& new_path, std::int64_t number) const;
  // All that a run holds is in its segments too.
  void RemoveKeyRun(std::int64_t number) const;

  // The first step of removal: the segment is `00000007.sqlite.dropped` from then on. Nothing where
  // it is not there.
  absl::Status DropSegment(std::int64_t number) const;
  // The second: it is gone.
  absl::Status DeleteDropped(std::int64_t number) const;

  // A segment of the journal's name that is not proved empty, or "".
  absl::StatusOr<std::string> AnySegment() const;
  // Brings the folder in line with the catalog, of which it is right at the start. Segments that
  // the catalog does not know are set aside whatever they hold, under their name with `.set-aside`
  // and, where that is taken, a number behind it; only what is proved empty is deleted. An
  // interrupted DropSegment is finished, and one that an older catalog knows nothing of taken back.
  // Key runs that the catalog does not know are deleted. Errors: also CheckWriteAheadLog's, of each
  // segment.
  absl::Status Settle(const KnownFiles& known) const;

 private:
  JournalFolder(std::string path, std::chrono::milliseconds busy_timeout, SetAsideObserver observer)
      : path_(std::move(path)), busy_timeout_(busy_timeout), observer_(std::move(observer)) {}
  // Puts a segment together again of which the database and the log are under two names, as an
  // interrupted DropSegment or TakeBack leaves them: under the segment's name.
  absl::Status Reunite(std::int64_t segment) const;
  // Deletes it where it is proved empty, else sets it aside. A dropped log without its database is
  // set aside too.
  absl::Status ClearAway(std::int64_t segment) const;
  absl::Status TakeBack(std::int64_t segment) const;

  std::string path_;
  std::chrono::milliseconds busy_timeout_;
  SetAsideObserver observer_;
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_SEGMENT_FILE_H_
