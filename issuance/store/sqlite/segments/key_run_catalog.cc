#include "issuance/store/sqlite/segments/key_run_catalog.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance::sqlite {

absl::Status CheckAgainst(const Catalog& catalog, const KeyRunRow& row, const KeyRun& run) {
  const KeyRunFacts& facts = run.facts();
  const Segment* const last = catalog.Find(row.last_segment);
  // A segment that was dropped is not compared any more.
  const bool has_the_last = last == nullptr || facts.last_sequence == last->last_sequence;
  if (facts.checksum == row.checksum && facts.first_segment == row.first_segment &&
      facts.last_segment == row.last_segment && has_the_last) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: key run ", row.number,
                            " of the journal is not the one that the main file knows"));
}

absl::StatusOr<std::shared_ptr<const KeyRun>> OpenKeyRun(const JournalFolder& folder,
                                                         const HashKey& key, const Catalog& catalog,
                                                         const KeyRunRow& row) {
  ASSIGN_OR_RETURN(std::shared_ptr<const KeyRun> run,
                   KeyRun::Open(folder.KeyRunPath(row.number), key));
  RETURN_IF_ERROR(CheckAgainst(catalog, row, *run));
  return run;
}

}  // namespace hourglass::issuance::sqlite
