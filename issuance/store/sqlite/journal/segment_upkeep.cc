#include "issuance/store/sqlite/journal/segment_upkeep.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "hsm/base/status_macros.h"
#include "issuance/base/background_thread.h"

namespace hourglass::issuance::sqlite {
namespace {

std::int64_t WidthOf(const KeyRunRow& run) { return run.last_segment - run.first_segment + 1; }

// Neighbours, the later of which is as wide as the earlier: so that a record is written again only
// as often as the journal doubles. The narrowest of them.
std::optional<std::size_t> FirstToMerge(const std::vector<KeyRunRow>& runs) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i + 1 < runs.size(); ++i) {
    if (WidthOf(runs[i]) > WidthOf(runs[i + 1])) continue;
    if (!best.has_value() ||
        WidthOf(runs[i]) + WidthOf(runs[i + 1]) < WidthOf(runs[*best]) + WidthOf(runs[*best + 1])) {
      best = i;
    }
  }
  return best;
}

// Each run is looked into for every request, and runs are merged only once nothing is to be
// indexed: so those that are more than a merged journal of thousands of segments has count as
// waiting too.
std::size_t RunsBeyondMerged(const std::vector<KeyRunRow>& runs) {
  constexpr std::size_t kMerged = 12;
  return runs.size() <= kMerged ? 0 : runs.size() - kMerged;
}

bool Has(const Catalog& catalog, std::int64_t run) {
  return std::any_of(catalog.runs.begin(), catalog.runs.end(),
                     [run](const KeyRunRow& row) { return row.number == run; });
}

// A finished file that is not in the catalog yet, removed unless it comes there.
class NewRun {
 public:
  explicit NewRun(std::string path) : path_(std::move(path)) {}
  ~NewRun() { unlink(path_.c_str()); }
  NewRun(const NewRun&) = delete;
  NewRun& operator=(const NewRun&) = delete;

  const std::string& path() const { return path_; }

  // Needs a transaction of the caller's.
  absl::Status EnterInto(Connection& main, JournalFiles& files,
                         const std::shared_ptr<const KeyRun>& opened, std::int64_t first_segment,
                         std::int64_t last_segment) const {
    ASSIGN_OR_RETURN(const std::int64_t number, RaiseCatalogVersion(main));
    RETURN_IF_ERROR(files.folder().NameKeyRun(path_, number));
    files.Expect(number, opened);
    return AddKeyRun(main, {number, first_segment, last_segment, opened->facts().checksum});
  }

 private:
  const std::string path_;
};

}  // namespace

absl::StatusOr<std::string> WriteKeyRun(const JournalFolder& folder, const HashKey& key,
                                        std::int64_t segment,
                                        const std::vector<KeyEntry>& entries) {
  std::string path = folder.NewKeyRunPath();
  ASSIGN_OR_RETURN(const std::unique_ptr<KeyRunWriter> writer,
                   KeyRunWriter::Create(path, key, entries.size(), segment, segment));
  for (const KeyEntry& entry : entries) RETURN_IF_ERROR(writer->Add(entry));
  RETURN_IF_ERROR(writer->Finish());
  return path;
}

SegmentUpkeep::SegmentUpkeep(Connections* connections, JournalFiles* files, UpkeepOptions options)
    : connections_(*connections),
      files_(*files),
      options_(std::move(options)),
      thread_([this] { Run(); }) {}

SegmentUpkeep::~SegmentUpkeep() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void SegmentUpkeep::Wake() {
  {
    const MutexLock lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void SegmentUpkeep::Run() {
  // Nobody waits for it, but for requests.
  RunInBackground();
  MutexLock lock(mutex_);
  while (!stopping_) {
    woken_ = false;
    lock.unlock();
    absl::StatusOr<bool> done = IndexOne();
    if (done.ok() && !*done) done = MergeTwo();
    // A step that is done is no news yet: what failed before may be the next.
    if (!done.ok() || !*done) Tell(done.status());
    lock.lock();
    if (stopping_) return;
    if (!done.ok()) {
      changed_.wait_for(lock, options_.retry_after,
                        [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
    } else if (!*done) {
      changed_.wait(lock,
                    [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || woken_; });
    }
  }
}

void SegmentUpkeep::Tell(const absl::Status& status) {
  if (status == told_) return;
  told_ = status;
  if (options_.observer) options_.observer(status);
}

void SegmentUpkeep::Rest() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  const std::chrono::nanoseconds rest =
      pace_.RestAfter(std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec));
  if (rest == std::chrono::nanoseconds(0)) return;
  MutexLock lock(mutex_);
  changed_.wait_for(lock, rest,
                    [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
}

absl::StatusOr<bool> SegmentUpkeep::IndexOne() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const JournalView> view,
                   connections_.Read([this](Connection& main) { return files_.Newest(main); }));
  const std::shared_ptr<SegmentKeys> keys = view->unindexed.front();
  const std::int64_t number = keys->number();
  pace_.SetBacklog(view->unindexed.size() - 1 + RunsBeyondMerged(view->catalog.runs));
  if (number == view->active().number) return false;
  RETURN_IF_ERROR(files_.folder().IndexSegment(number, [this] { Rest(); }));
  ASSIGN_OR_RETURN(std::string path,
                   WriteKeyRun(files_.folder(), files_.key(), number, keys->SortedEntries()));
  const NewRun run(std::move(path));
  ASSIGN_OR_RETURN(const std::shared_ptr<const KeyRun> opened,
                   KeyRun::Open(run.path(), files_.key()));
  RETURN_IF_ERROR(connections_.Write([&](Connection& main) -> absl::Status {
    ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
    const Segment* const segment = catalog.Find(number);
    // Dropped in the meantime, or another process was faster.
    if (segment == nullptr || segment->state != SegmentState::kSealed) return absl::OkStatus();
    Segment indexed = *segment;
    indexed.state = SegmentState::kIndexed;
    RETURN_IF_ERROR(PutSegment(main, indexed));
    return run.EnterInto(main, files_, opened, number, number);
  }));
  return true;
}

absl::StatusOr<bool> SegmentUpkeep::MergeTwo() {
  ASSIGN_OR_RETURN(const std::shared_ptr<const JournalView> view,
                   connections_.Read([this](Connection& main) { return files_.Newest(main); }));
  const std::optional<std::size_t> first = FirstToMerge(view->catalog.runs);
  if (!first.has_value()) return false;
  const KeyRunRow& a = view->catalog.runs[*first];
  const KeyRunRow& b = view->catalog.runs[*first + 1];
  const NewRun run(files_.folder().NewKeyRunPath());
  RETURN_IF_ERROR(MergeKeyRuns({view->runs[*first], view->runs[*first + 1]},
                               view->catalog.segments.front().first_sequence, run.path(),
                               files_.key(), [this] { Rest(); }));
  ASSIGN_OR_RETURN(const std::shared_ptr<const KeyRun> opened,
                   KeyRun::Open(run.path(), files_.key()));
  bool merged = false;
  RETURN_IF_ERROR(connections_.Write([&](Connection& main) -> absl::Status {
    ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
    if (!Has(catalog, a.number) || !Has(catalog, b.number)) return absl::OkStatus();
    RETURN_IF_ERROR(RemoveKeyRun(main, a.number));
    RETURN_IF_ERROR(RemoveKeyRun(main, b.number));
    merged = true;
    return run.EnterInto(main, files_, opened, a.first_segment, b.last_segment);
  }));
  if (merged) {
    files_.folder().RemoveKeyRun(a.number);
    files_.folder().RemoveKeyRun(b.number);
  }
  return true;
}

}  // namespace hourglass::issuance::sqlite
