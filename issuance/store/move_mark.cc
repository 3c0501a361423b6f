#include "issuance/store/move_mark.h"

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {

absl::Status RefuseMarked(const MoveMark& mark) {
  if (mark.kind == MoveMark::Kind::kInto) {
    return Error(ErrorReason::kJournalUnavailable, "",
                 absl::StrCat("database: the store is half moved: ", mark.records, " records of ",
                              mark.other,
                              " are in it; run the same `hourglass store move` again, which goes "
                              "on where it was"));
  }
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: the store was moved to ", mark.other,
                            ", which has what was issued since; to serve this one again all the "
                            "same, without that, `hourglass store reopen`"));
}

}  // namespace hourglass::issuance
