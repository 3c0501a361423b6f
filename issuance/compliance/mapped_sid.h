// Which Windows account a certificate maps to (KB5014754).
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_MAPPED_SID_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_MAPPED_SID_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/access_records.h"

namespace hourglass::issuance {

// The SID that the directory has of whom a certificate of this id and UPN speaks for; empty where
// that is nobody, or has none. `user` is the one of the id, or of the UPN where the id is empty.
// An id and a UPN that the directory does not have of one user have none: whichever of both it
// were, the certificate would speak for two. So it is with a UPN that has changed, until the
// directory and whoever asks agree. A SID that is not of a domain (`S-1-5-21-…`) is none.
std::string DirectorySid(const std::optional<DirectoryUser>& user, absl::string_view user_id,
                         absl::string_view upn);

// What the directory says, or where that knows none, what a verified access token does; empty where
// neither does. Errors: SID_UNKNOWN with field `user.upn` where they say different things: one of
// them is of yesterday, or the token is of somebody else.
absl::StatusOr<std::string> AgreedSid(absl::string_view of_directory, absl::string_view of_token);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_MAPPED_SID_H_
