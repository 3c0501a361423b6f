// The domains that a tenant's users are of: what keeps a tenant from speaking for the users of
// another to a relying party that trusts both.
#ifndef HOURGLASS_ISSUANCE_IDENTITY_UPN_DOMAINS_H_
#define HOURGLASS_ISSUANCE_IDENTITY_UPN_DOMAINS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// Compared as ca::FoldedDomain has them, and each for itself alone: a domain does not stand for
// those below it. Safe to call from several threads.
class UpnDomains {
 public:
  // None is given: users may be of any domain.
  bool empty() const { return folded_.empty(); }

  // Gives what is wrong with `domain`, or nothing once it is one of them.
  std::optional<std::string> Add(absl::string_view domain);

  // `upn`: what ca::Subject::Create accepts; its domain is what follows its last `@`, of a guest
  // too. Errors: UPN_NOT_OF_TENANT with field `user.upn`.
  absl::Status Check(absl::string_view upn) const;

 private:
  std::vector<std::string> folded_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_IDENTITY_UPN_DOMAINS_H_
