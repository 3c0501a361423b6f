// Every method of the contract: what it does, and who may call it.
#ifndef HOURGLASS_ISSUANCE_IDENTITY_METHODS_H_
#define HOURGLASS_ISSUANCE_IDENTITY_METHODS_H_

#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/identity/caller.h"

namespace hourglass::issuance {

enum class MethodKind {
  kIssuing,    // has lanes of its own
  kPromotion,  // the switch that an emergency takes
  kChange,
  kListing,  // only reads
};

enum class MethodScope {
  kTenant,       // the tenant that the request names in `tenant_id`: the caller is bound to it
  kEveryTenant,  // what tenants share, or which there are: the caller is bound to every tenant
  kOwnTenants,   // what belongs to the tenants that the caller is bound to, and nothing else
};

class RoleSet {
 public:
  constexpr RoleSet(std::initializer_list<Role> roles) {
    for (const Role role : roles) bits_ |= Bit(role);
  }

  constexpr bool Has(Role role) const { return (bits_ & Bit(role)) != 0; }

 private:
  static constexpr unsigned Bit(Role role) { return 1U << static_cast<unsigned>(role); }

  unsigned bits_ = 0;
};

struct Method {
  absl::string_view name;  // without its service's: `PromoteRoot`; no two services share one
  MethodKind kind;
  MethodScope scope;
  RoleSet roles;  // whose one is enough
};

// The one table of all methods.
absl::Span<const Method> Methods();

// Of the table. Ends the process where there is no such method, so that nothing can be served that
// nobody decided who may call.
const Method& MethodNamed(absl::string_view name);

// Whether the caller is bound to the tenant (promise 7). Does not say whether the tenant exists.
// Errors, with field `tenant_id`: TENANT_NOT_PERMITTED; FIELD_MISSING without a tenant id;
// FIELD_INVALID for what can be none where the caller is bound to every tenant.
absl::Status CheckBound(const Caller& caller, absl::string_view tenant_id);

// Whether the caller may call the method. `tenant_id` is the request's, and counts only with
// kTenant. Errors: ROLE_NOT_PERMITTED; TENANT_NOT_PERMITTED; those of CheckBound.
absl::Status Permit(const Caller& caller, const Method& method, absl::string_view tenant_id);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_IDENTITY_METHODS_H_
