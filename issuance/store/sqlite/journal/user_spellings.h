// How the users of a segment are spelled.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_USER_SPELLINGS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_USER_SPELLINGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

// All user principal names of the tenant in this segment, which must be indexed, that ca::FoldedUpn
// makes `folded`. They are found by steps in the index by user, whose order is that of octets: each
// step leaves out what cannot become `folded` by change of case. What has octets beyond ASCII is
// looked at one by one from there on, as is all that begins like `folded` up to its first such
// octet, or up to the domain where that is international. So most searches take some ten steps,
// whatever the segment holds, and the worst as many as the tenant has users in it.
absl::StatusOr<std::vector<std::string>> FindUserSpellings(Connection& segment,
                                                           absl::string_view tenant_id,
                                                           absl::string_view folded);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_JOURNAL_USER_SPELLINGS_H_
