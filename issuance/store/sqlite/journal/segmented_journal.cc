#include "issuance/store/sqlite/journal/segmented_journal.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/journal/journal_query.h"
#include "issuance/store/sqlite/journal/key_run_mending.h"
#include "issuance/store/sqlite/journal/old_journal.h"
#include "issuance/store/sqlite/journal/segment_roll.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"
#include "issuance/store/sqlite/tables/sqlite_roots.h"

namespace hourglass::issuance::sqlite {
namespace {

// What is in the folder of a store without a segment is an interrupted start's, and empty; or the
// journal of a main file that was lost, which must not go as well.
absl::Status KeepJournalOfAnotherStore(Connection& main, const JournalFolder& folder) {
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  if (!catalog.segments.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string segment, folder.AnySegment());
  if (segment.empty()) return absl::OkStatus();
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: the file is new, but the journal's folder beside it holds ",
                            segment, " of another; restore the file, or move the folder away"));
}

// With the write lock, under which alone files come into the catalog.
absl::Status SettleFolder(Connection& main, const JournalFolder& folder) {
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  RETURN_IF_ERROR(CheckCatalog(catalog));
  KnownFiles known;
  for (const Segment& segment : catalog.segments) known.segments.push_back(segment.number);
  for (const KeyRunRow& run : catalog.runs) known.key_runs.push_back(run.number);
  ASSIGN_OR_RETURN(known.dropped_segments, ReadDropped(main));
  return folder.Settle(known);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SegmentedJournal>> SegmentedJournal::Open(
    Connections* connections, const std::string& path, const SqliteStoreOptions& options) {
  const SegmentLimits limits{options.segment_intents, options.segment_span};
  ASSIGN_OR_RETURN(JournalFolder folder,
                   JournalFolder::Open(path, options.busy_timeout, options.set_aside_observer));
  RETURN_IF_ERROR(connections->WriteAlone(
      [&](Connection& main) { return MoveOldJournal(main, folder, limits.intents); }));
  RETURN_IF_ERROR(connections->Write([&](Connection& main) -> absl::Status {
    RETURN_IF_ERROR(KeepJournalOfAnotherStore(main, folder));
    RETURN_IF_ERROR(StartJournal(main, folder));
    return SettleFolder(main, folder);
  }));
  ASSIGN_OR_RETURN(const HashKey key, connections->Read(ReadHashKey));
  std::unique_ptr<SegmentedJournal> journal(
      new SegmentedJournal(connections, std::move(folder), key, limits));
  RETURN_IF_ERROR(journal->Load());
  journal->upkeep_.emplace(connections, &journal->files_,
                           UpkeepOptions{options.upkeep_retry_after, options.upkeep_observer});
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
  // Lets go of the files first.
  RETURN_IF_ERROR(
      connections_.Read([&](Connection& main) { return files_.Newest(main); }).status());
  for (const std::int64_t run : dropped.key_runs) files_.folder().RemoveKeyRun(run);
  for (const std::int64_t segment : dropped.segments) {
    RETURN_IF_ERROR(files_.folder().DropSegment(segment));
  }
  return absl::OkStatus();
}

absl::Status SegmentedJournal::DeleteDropped(Timestamp now) {
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> dropped, connections_.Read(ReadDropped));
  if (dropped.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> due,
                   connections_.Write([&](Connection& main) { return SeeDropped(main, now); }));
  for (const std::int64_t segment : due) {
    RETURN_IF_ERROR(files_.folder().DeleteDropped(segment));
    RETURN_IF_ERROR(
        connections_.Write([&](Connection& main) { return ForgetDropped(main, segment); }));
  }
  return absl::OkStatus();
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
