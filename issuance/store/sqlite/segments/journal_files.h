// The journal's files as readers see them: which there are, and what is in memory of them.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_JOURNAL_FILES_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_JOURNAL_FILES_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/key_index/key_run.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/segments/segment_file.h"
#include "issuance/store/sqlite/segments/segment_keys.h"
#include "issuance/store/sqlite/segments/segment_readers.h"

namespace hourglass::issuance::sqlite {

// One version of the catalog, with what is in memory of each of its files.
struct JournalView {
  Catalog catalog;
  std::vector<std::shared_ptr<const KeyRun>> runs;  // as catalog.runs
  std::vector<std::shared_ptr<SegmentKeys>>
      unindexed;  // of segments that are not INDEXED, in order

  // The last segment takes intents.
  const Segment& active() const { return catalog.segments.back(); }
  SegmentKeys& active_keys() const { return *unindexed.back(); }
  // Appends the records that `hash` may stand for, wherever they are.
  absl::Status Find(std::uint64_t hash, Candidates& candidates) const;
};

// Safe to call from several threads. Errors of all: JOURNAL_UNAVAILABLE.
class JournalFiles {
 public:
  JournalFiles(JournalFolder folder, const HashKey& key)
      : folder_(std::move(folder)), key_(key), readers_(&folder_) {}

  // The catalog's newest version; its active segment may have intents that the view lacks. `main`
  // is a connection to the main file.
  absl::StatusOr<std::shared_ptr<const JournalView>> Newest(Connection& main);
  // The same with all intents that were committed before the call.
  absl::StatusOr<std::shared_ptr<const JournalView>> Current(Connection& main);
  // Keeps a run that is about to come into the catalog, so that whoever sees it there first, which
  // may be a request, need not read it.
  void Expect(std::int64_t number, std::shared_ptr<const KeyRun> run);
  // Calls `statement(Connection&)` with a connection to the segment.
  template <typename Statement>
  auto Read(std::int64_t segment, Statement statement)
      -> decltype(statement(std::declval<Connection&>())) {
    return readers_.Read(segment, statement);
  }

  const JournalFolder& folder() const { return folder_; }
  const HashKey& key() const { return key_; }

 private:
  absl::StatusOr<std::shared_ptr<const JournalView>> Load(Connection& main, const JournalView* old);
  absl::StatusOr<std::shared_ptr<const KeyRun>> Open(const Catalog& catalog, const KeyRunRow& row,
                                                     const JournalView* old);

  const JournalFolder folder_;
  const HashKey key_;
  SegmentReaders readers_;
  Mutex loading_;
  std::shared_ptr<const JournalView> view_ ABSL_GUARDED_BY(loading_);
  Mutex expecting_;
  std::int64_t expected_number_ ABSL_GUARDED_BY(expecting_) = 0;
  std::shared_ptr<const KeyRun> expected_ ABSL_GUARDED_BY(expecting_);
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SEGMENTS_JOURNAL_FILES_H_
