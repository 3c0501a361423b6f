#include "issuance/store/segmented_journal.h"

#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/journal_query.h"
#include "issuance/store/key_run_mending.h"
#include "issuance/store/old_journal.h"
#include "issuance/store/segment_catalog.h"
#include "issuance/store/segment_roll.h"
#include "issuance/store/sqlite_roots.h"

namespace hourglass::issuance::sqlite {
namespace {

// What is in the folder of a store without a segment is an interrupted start's, and empty; or the
// journal of a main file that was lost, which must not go as well.
absl::Status KeepJournalOfAnotherStore(Connection& main, const JournalFolder& folder) {
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  if (!catalog.segments.empty() || !folder.HoldsRecords()) return absl::OkStatus();
  return Error(ErrorReason::kJournalUnavailable, "",
               "database: the file is new, but the journal's folder beside it holds records of "
               "another; restore the file, or move the folder away");
}

// With the write lock, under which alone files come into the catalog.
absl::Status RemoveLeftovers(Connection& main, const JournalFolder& folder) {
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  RETURN_IF_ERROR(CheckCatalog(catalog));
  std::vector<std::int64_t> segments, runs;
  for (const Segment& segment : catalog.segments) segments.push_back(segment.number);
  for (const KeyRunRow& run : catalog.runs) runs.push_back(run.number);
  return folder.RemoveAllBut(segments, runs);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentedJournal>> SegmentedJournal::Open(
    Connections* connections, const std::string& path, std::chrono::milliseconds busy_timeout,
    const SegmentLimits& limits, UpkeepOptions upkeep) {
  ASSIGN_OR_RETURN(JournalFolder folder, JournalFolder::Open(path, busy_timeout));
  RETURN_IF_ERROR(connections->WriteAlone(
      [&](Connection& main) { return MoveOldJournal(main, folder, limits.intents); }));
  RETURN_IF_ERROR(connections->Write([&](Connection& main) -> absl::Status {
    RETURN_IF_ERROR(KeepJournalOfAnotherStore(main, folder));
    RETURN_IF_ERROR(StartJournal(main, folder));
    return RemoveLeftovers(main, folder);
  }));
  ASSIGN_OR_RETURN(const HashKey key, connections->Read(ReadHashKey));
  std::unique_ptr<SegmentedJournal> journal(
      new SegmentedJournal(connections, std::move(folder), key, limits));
  RETURN_IF_ERROR(journal->Load());
  journal->upkeep_.emplace(connections, &journal->files_, std::move(upkeep));
  return journal;
}

// Damage is better found now than by the first request.
absl::Status SegmentedJournal::Load() {
  const auto load = [this] {
    return connections_.Read([this](Connection& main) { return files_.Current(main); }).status();
  };
  const absl::Status loaded = load();
  if (loaded.ok()) return loaded;
  const absl::StatusOr<int> mended = connections_.Write(
      [this](Connection& main) { return MendKeyRuns(main, files_.folder(), files_.key()); });
  return mended.ok() && *mended > 0 ? load() : loaded;
}

absl::StatusOr<std::vector<absl::Status>> SegmentedJournal::Append(
    absl::Span<const JournalWrite> writes) {
  bool sealed = false;
  auto statuses = connections_.WriteAlone(
      [&](Connection& main) { return appender_.Append(main, writes, sealed); });
  if (sealed) upkeep_->Wake();
  return statuses;
}

absl::StatusOr<JournalRecord> SegmentedJournal::FindByRequestId(absl::string_view tenant_id,
                                                                absl::string_view request_id) {
  return connections_.Read([&](Connection& main) {
    return sqlite::FindByRequestId(main, files_, tenant_id, request_id);
  });
}

absl::StatusOr<JournalRecord> SegmentedJournal::FindBySerialNumber(
    absl::string_view tenant_id, absl::string_view serial_number) {
  return connections_.Read([&](Connection& main) {
    return sqlite::FindBySerialNumber(main, files_, tenant_id, serial_number);
  });
}

absl::StatusOr<Page<JournalRecord>> SegmentedJournal::List(absl::string_view tenant_id,
                                                           const JournalFilter& filter,
                                                           int page_size,
                                                           absl::string_view page_token) {
  return connections_.Read([&](Connection& main) {
    return ListJournal(main, files_, tenant_id, filter, page_size, page_token);
  });
}

absl::Status SegmentedJournal::DropBefore(Timestamp before) {
  ASSIGN_OR_RETURN(const Dropped dropped, connections_.Write([&](Connection& main) {
    return DropSegments(main, files_, before);
  }));
  for (const std::int64_t segment : dropped.segments) files_.folder().RemoveSegment(segment);
  for (const std::int64_t run : dropped.key_runs) files_.folder().RemoveKeyRun(run);
  // Lets go of the files, so that their space is free.
  return connections_.Read([&](Connection& main) { return files_.Newest(main); }).status();
}

absl::StatusOr<RootRecord> SegmentedJournal::GetRoot(absl::string_view tenant_id,
                                                     absl::string_view root_id) {
  return connections_.Read([&](Connection& main) -> absl::StatusOr<RootRecord> {
    ASSIGN_OR_RETURN(const std::shared_ptr<const JournalView> view, files_.Current(main));
    ASSIGN_OR_RETURN(RootRecord root, sqlite::GetRoot(main, tenant_id, root_id));
    RaiseLastLeaves(*view, absl::MakeSpan(&root, 1));
    return root;
  });
}

absl::StatusOr<std::vector<RootRecord>> SegmentedJournal::ListRoots(absl::string_view tenant_id) {
  return connections_.Read([&](Connection& main) -> absl::StatusOr<std::vector<RootRecord>> {
    ASSIGN_OR_RETURN(const std::shared_ptr<const JournalView> view, files_.Current(main));
    ASSIGN_OR_RETURN(std::vector<RootRecord> roots, sqlite::ListRoots(main, tenant_id));
    RaiseLastLeaves(*view, absl::MakeSpan(roots));
    return roots;
  });
}

}  // namespace hourglass::issuance::sqlite
