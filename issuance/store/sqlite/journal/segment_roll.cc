#include "issuance/store/sqlite/journal/segment_roll.h"

#include <algorithm>
#include <memory>

#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"

namespace hourglass::issuance::sqlite {
namespace {

absl::Status AddActive(Connection& main, const JournalFolder& folder, std::int64_t number,
                       std::int64_t first_sequence) {
  RETURN_IF_ERROR(folder.MakeSegment(number).status());
  Segment segment;
  segment.number = number;
  segment.first_sequence = first_sequence;
  RETURN_IF_ERROR(PutSegment(main, segment));
  return RaiseCatalogVersion(main).status();
}

// A root may only be retired once all that it was ever meant to sign has expired, also when the
// segment is gone.
absl::Status KeepLastLeaves(Connection& main, const LastLeaves& last_leaves) {
  for (const auto& [root, not_after] : last_leaves) {
    RETURN_IF_ERROR(
        main.Change("UPDATE roots SET last_leaf_not_after = ?3 WHERE tenant_id = ?1 AND root_id = "
                    "?2 AND (last_leaf_not_after IS NULL OR last_leaf_not_after < ?3)",
                    {Text{root.first}, Text{root.second}, ValueOf(not_after)})
            .status());
  }
  return absl::OkStatus();
}

bool IsOver(const Segment& segment, Timestamp before) {
  return segment.last_sequence >= segment.first_sequence && segment.last_intended_at < before &&
         segment.last_not_after <= before;
}

bool HoldsAny(const KeyRunRow& run, const std::vector<Segment>& segments) {
  return std::any_of(segments.begin(), segments.end(), [&](const Segment& segment) {
    return run.first_segment <= segment.number && segment.number <= run.last_segment;
  });
}

}  // namespace

absl::Status StartJournal(Connection& main, const JournalFolder& folder) {
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  if (catalog.segments.empty()) return AddActive(main, folder, 1, 1);
  const Segment& last = catalog.segments.back();
  if (last.state == SegmentState::kActive) return absl::OkStatus();
  return AddActive(main, folder, last.number + 1, last.last_sequence + 1);
}

absl::Status StartNextSegment(Connection& main, const JournalFolder& folder,
                              const SegmentKeys& keys) {
  return StartNextSegmentAt(main, folder, keys, keys.Summary().last_sequence + 1);
}

absl::Status StartNextSegmentAt(Connection& main, const JournalFolder& folder,
                                const SegmentKeys& keys, std::int64_t first_sequence) {
  Segment sealed = keys.Summary();
  sealed.state = SegmentState::kSealed;
  RETURN_IF_ERROR(PutSegment(main, sealed));
  RETURN_IF_ERROR(KeepLastLeaves(main, keys.AllLastLeaves()));
  return AddActive(main, folder, sealed.number + 1, first_sequence);
}

absl::StatusOr<Dropped> DropSegments(Connection& main, JournalFiles& files, Timestamp before) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const JournalView> view, files.Current(main));
  if (IsOver(view->active_keys().Summary(), before)) {
    RETURN_IF_ERROR(StartNextSegment(main, files.folder(), view->active_keys()));
  }
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  Dropped dropped;
  std::vector<Segment> kept;
  for (const Segment& segment : catalog.segments) {
    if (segment.state == SegmentState::kActive || !IsOver(segment, before)) {
      kept.push_back(segment);
      continue;
    }
    RETURN_IF_ERROR(RemoveSegment(main, segment));
    dropped.segments.push_back(segment.number);
  }
  for (const KeyRunRow& run : catalog.runs) {
    if (HoldsAny(run, kept)) continue;
    RETURN_IF_ERROR(RemoveKeyRun(main, run.number));
    dropped.key_runs.push_back(run.number);
  }
  RETURN_IF_ERROR(RaiseCatalogVersion(main).status());
  return dropped;
}

}  // namespace hourglass::issuance::sqlite
