#include "issuance/store/sqlite/journal/key_run_mending.h"

#include <memory>
#include <string>

#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/journal/segment_upkeep.h"
#include "issuance/store/sqlite/key_index/key_run.h"
#include "issuance/store/sqlite/segments/key_run_catalog.h"
#include "issuance/store/sqlite/segments/segment_catalog.h"

namespace hourglass::issuance::sqlite {

absl::Status AddKeyRunOf(Connection& main, const JournalFolder& folder, const HashKey& key,
                         const SegmentKeys& keys) {
  ASSIGN_OR_RETURN(const std::string path,
                   WriteKeyRun(folder, key, keys.number(), keys.SortedEntries()));
  ASSIGN_OR_RETURN(const std::shared_ptr<const KeyRun> run, KeyRun::Open(path, key));
  ASSIGN_OR_RETURN(const std::int64_t number, RaiseCatalogVersion(main));
  RETURN_IF_ERROR(folder.NameKeyRun(path, number));
  return AddKeyRun(main, {number, keys.number(), keys.number(), run->facts().checksum});
}

absl::StatusOr<int> MendKeyRuns(Connection& main, const JournalFolder& folder, const HashKey& key) {
  ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(main));
  int mended = 0;
  for (const KeyRunRow& run : catalog.runs) {
    if (OpenKeyRun(folder, key, catalog, run).ok()) continue;
    ++mended;
    RETURN_IF_ERROR(RemoveKeyRun(main, run.number));
    for (const Segment& segment : catalog.segments) {
      if (segment.number < run.first_segment || segment.number > run.last_segment) continue;
      ASSIGN_OR_RETURN(const std::unique_ptr<Connection> file, folder.OpenSegment(segment.number));
      SegmentKeys keys(segment, key);
      RETURN_IF_ERROR(keys.CatchUp(*file));
      RETURN_IF_ERROR(keys.CheckWhole(segment));
      RETURN_IF_ERROR(AddKeyRunOf(main, folder, key, keys));
    }
  }
  return mended;
}

}  // namespace hourglass::issuance::sqlite
