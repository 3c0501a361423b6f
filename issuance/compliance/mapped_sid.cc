#include "issuance/compliance/mapped_sid.h"

#include "absl/strings/match.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {
namespace {

// MS-DTYP section 2.4.2.4: SECURITY_NT_NON_UNIQUE, the accounts of a domain. `S-1-12-1-…` is of the
// cloud, and no domain controller knows it; `S-1-5-32-…` and the like are nobody's account.
constexpr absl::string_view kOfADomain = "S-1-5-21-";

}  // namespace

std::string DirectorySid(const std::optional<DirectoryUser>& user, absl::string_view user_id,
                         absl::string_view upn) {
  if (!user.has_value()) return "";
  if (!user_id.empty() && user->user_id != user_id) return "";
  if (ca::FoldedUpn(user->upn) != ca::FoldedUpn(upn)) return "";
  return absl::StartsWith(user->onprem_sid, kOfADomain) ? user->onprem_sid : "";
}

absl::StatusOr<std::string> AgreedSid(absl::string_view of_directory, absl::string_view of_token) {
  if (!absl::StartsWith(of_token, kOfADomain)) of_token = "";
  if (!of_directory.empty() && !of_token.empty() && of_directory != of_token) {
    return Error(ErrorReason::kSidUnknown, "user.upn",
                 "the access token and the directory have different security identifiers of this "
                 "user");
  }
  return std::string(of_directory.empty() ? of_token : of_directory);
}

}  // namespace hourglass::issuance
