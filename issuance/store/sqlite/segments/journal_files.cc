#include "issuance/store/sqlite/segments/journal_files.h"

#include <algorithm>

#include "issuance/store/sqlite/segments/key_run_catalog.h"

namespace hourglass::issuance::sqlite {
namespace {

std::shared_ptr<SegmentKeys> KeysFor(const Segment& segment, const HashKey& key,
                                     const JournalView* old) {
  if (old != nullptr) {
    for (const std::shared_ptr<SegmentKeys>& keys : old->unindexed) {
      if (keys->number() == segment.number) return keys;
    }
  }
  return std::make_shared<SegmentKeys>(segment, key);
}

}  // namespace

absl::Status JournalView::Find(std::uint64_t hash, Candidates& candidates) const {
  for (const std::shared_ptr<SegmentKeys>& keys : unindexed) keys->Find(hash, candidates);
  for (const std::shared_ptr<const KeyRun>& run : runs) {
    RETURN_IF_ERROR(run->Find(hash, candidates));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const KeyRun>> JournalFiles::Open(const Catalog& catalog,
                                                                 const KeyRunRow& row,
                                                                 const JournalView* old) {
  for (std::size_t i = 0; old != nullptr && i < old->runs.size(); ++i) {
    if (old->catalog.runs[i].number == row.number) return old->runs[i];
  }
  {
    const MutexLock lock(expecting_);
    // Where the expected commit failed, another process may have given the number to its own run.
    if (expected_number_ == row.number && expected_ != nullptr &&
        expected_->IsAt(folder_.KeyRunPath(row.number)) &&
        CheckAgainst(catalog, row, *expected_).ok()) {
      return std::move(expected_);
    }
  }
  return OpenKeyRun(folder_, key_, catalog, row);
}

void JournalFiles::Expect(std::int64_t number, std::shared_ptr<const KeyRun> run) {
  const MutexLock lock(expecting_);
  expected_number_ = number;
  expected_ = std::move(run);
}

absl::StatusOr<std::shared_ptr<const JournalView>> JournalFiles::Load(Connection& main,
                                                                      const JournalView* old) {
  auto view = std::make_shared<JournalView>();
  ASSIGN_OR_RETURN(view->catalog, ReadCatalog(main));
  RETURN_IF_ERROR(CheckCatalog(view->catalog));
  for (const KeyRunRow& row : view->catalog.runs) {
    ASSIGN_OR_RETURN(std::shared_ptr<const KeyRun> run, Open(view->catalog, row, old));
    view->runs.push_back(std::move(run));
  }
  std::vector<std::int64_t> numbers;
  for (const Segment& segment : view->catalog.segments) {
    numbers.push_back(segment.number);
    if (segment.state == SegmentState::kIndexed) continue;
    std::shared_ptr<SegmentKeys> keys = KeysFor(segment, key_, old);
    RETURN_IF_ERROR(Read(segment.number, [&](Connection& file) { return keys->CatchUp(file); }));
    if (segment.state == SegmentState::kSealed) RETURN_IF_ERROR(keys->CheckWhole(segment));
    view->unindexed.push_back(std::move(keys));
  }
  readers_.CloseAllBut(numbers);
  return std::shared_ptr<const JournalView>(std::move(view));
}

absl::StatusOr<std::shared_ptr<const JournalView>> JournalFiles::Newest(Connection& main) {
  const MutexLock lock(loading_);
  ASSIGN_OR_RETURN(std::int64_t version, ReadCatalogVersion(main));
  while (view_ == nullptr || view_->catalog.version < version) {
    absl::StatusOr<std::shared_ptr<const JournalView>> loaded = Load(main, view_.get());
    if (loaded.ok()) {
      view_ = *std::move(loaded);
      break;
    }
    // A file that cannot be opened may be one that the next version does not have any more.
    ASSIGN_OR_RETURN(const std::int64_t now, ReadCatalogVersion(main));
    if (now == version) return loaded.status();
    version = now;
  }
  return view_;
}

absl::StatusOr<std::shared_ptr<const JournalView>> JournalFiles::Current(Connection& main) {
  ASSIGN_OR_RETURN(std::shared_ptr<const JournalView> view, Newest(main));
  RETURN_IF_ERROR(Read(view->active().number,
                       [&](Connection& file) { return view->active_keys().CatchUp(file); }));
  return view;
}

}  // namespace hourglass::issuance::sqlite
