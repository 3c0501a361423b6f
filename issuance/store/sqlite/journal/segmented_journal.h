// The journal of a SQLite store: segments beside its main file.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENTED_JOURNAL_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENTED_JOURNAL_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/sqlite/engine/sqlite_connections.h"
#include "issuance/store/sqlite/engine/sqlite_store_options.h"
#include "issuance/store/sqlite/journal/journal_appender.h"
#include "issuance/store/sqlite/journal/segment_upkeep.h"
#include "issuance/store/sqlite/segments/journal_files.h"
#include "issuance/store/store.h"

namespace hourglass::issuance::sqlite {

// The methods are Store's, of the same names. Safe to call from several threads.
class SegmentedJournal {
 public:
  // Of the store at `path`. Moves an old journal, makes the first segment, brings the folder in
  // line with the catalog, and makes key runs again that are missing or damaged. `connections` must
  // outlive this object.
  static absl::StatusOr<std::unique_ptr<SegmentedJournal>> Open(Connections* connections,
                                                                const std::string& path,
                                                                const SqliteStoreOptions& options);

  absl::StatusOr<std::vector<absl::Status>> Append(absl::Span<const JournalWrite> writes);
  absl::StatusOr<JournalRecord> FindByRequestId(absl::string_view tenant_id,
                                                absl::string_view request_id);
  absl::StatusOr<JournalRecord> FindBySerialNumber(absl::string_view tenant_id,
                                                   absl::string_view serial_number);
  absl::StatusOr<Page<JournalRecord>> List(absl::string_view tenant_id, const JournalFilter& filter,
                                           int page_size, absl::string_view page_token);
  absl::Status DropBefore(Timestamp before);
  absl::Status DeleteDropped(Timestamp now);
  // With the last leaf of the intents that the main file does not know yet.
  absl::StatusOr<RootRecord> GetRoot(absl::string_view tenant_id, absl::string_view root_id);
  absl::StatusOr<std::vector<RootRecord>> ListRoots(absl::string_view tenant_id);

 private:
  SegmentedJournal(Connections* connections, JournalFolder folder, const HashKey& key,
                   const SegmentLimits& limits)
      : connections_(*connections), files_(std::move(folder), key), appender_(&files_, limits) {}

  absl::Status Load();

  Connections& connections_;
  JournalFiles files_;
  JournalAppender appender_;  // for whom connections_ lets write
  std::optional<SegmentUpkeep> upkeep_;
};

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_SEGMENTED_JOURNAL_H_
