#include "issuance/identity/upn_domains.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "ca/names/domain_name.h"
#include "hsm/base/error.h"

namespace hourglass::issuance {

std::optional<std::string> UpnDomains::Add(absl::string_view domain) {
  const std::optional<std::string> fault = ca::FaultInDomain(domain);
  if (fault.has_value()) return absl::StrCat("is no domain of users: it ", *fault);
  std::string folded = ca::FoldedDomain(domain);
  if (std::find(folded_.begin(), folded_.end(), folded) != folded_.end()) return "appears twice";
  folded_.push_back(std::move(folded));
  return std::nullopt;
}

absl::Status UpnDomains::Check(absl::string_view upn) const {
  if (folded_.empty()) return absl::OkStatus();
  const std::string domain = ca::FoldedDomain(upn.substr(upn.rfind('@') + 1));
  if (std::find(folded_.begin(), folded_.end(), domain) != folded_.end()) return absl::OkStatus();
  return Error(ErrorReason::kUpnNotOfTenant, "user.upn",
               "is of a domain that is none of the tenant's upn_domains");
}

}  // namespace hourglass::issuance
