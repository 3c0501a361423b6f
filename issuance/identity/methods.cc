#include "issuance/identity/methods.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

using enum MethodKind;
using enum MethodScope;

constexpr RoleSet kBrokers = {Role::kBroker};
constexpr RoleSet kAdministrators = {Role::kAdministrator};
constexpr RoleSet kReaders = {Role::kAdministrator, Role::kAuditor};
// Not administrators: whoever may promote roots does not say which devices are in order.
constexpr RoleSet kReporters = {Role::kDeviceReporter};
constexpr RoleSet kReadersOfDevices = {Role::kDeviceReporter, Role::kAdministrator, Role::kAuditor};
constexpr RoleSet kReadersOfBundles = {Role::kRelyingParty, Role::kBroker, Role::kAdministrator,
                                       Role::kAuditor};
constexpr RoleSet kRelyingParties = {Role::kRelyingParty};
constexpr RoleSet kReadersOfDecisions = {Role::kRelyingParty, Role::kAdministrator, Role::kAuditor};

// Places of keys, the clock and the replicas are of all tenants together.
constexpr Method kMethods[] = {
    {"IssueCertificate", kIssuing, kTenant, kBrokers},
    {"IssueCertificates", kIssuing, kTenant, kBrokers},  // each message of the stream

    {"GetTrustBundle", kListing, kTenant, kReadersOfBundles},
    {"WatchTrustBundle", kListing, kTenant, kRelyingParties},
    {"AcknowledgeTrustBundle", kChange, kTenant, kRelyingParties},

    {"Evaluate", kListing, kTenant, kReaders},

    {"AcceptClock", kChange, kEveryTenant, kAdministrators},
    {"GetClock", kListing, kEveryTenant, kReaders},

    {"GetServiceStatus", kListing, kEveryTenant, kReaders},

    {"CreateTenant", kChange, kEveryTenant, kAdministrators},
    {"ListTenants", kListing, kOwnTenants, kReaders},
    {"GetTenant", kListing, kTenant, kReaders},

    {"PromoteRoot", kPromotion, kTenant, kAdministrators},
    {"RollBackRoot", kPromotion, kTenant, kAdministrators},
    {"CreateRoot", kChange, kTenant, kAdministrators},
    {"RetireRoot", kChange, kTenant, kAdministrators},
    {"DiscardRoot", kChange, kTenant, kAdministrators},
    {"ListRoots", kListing, kTenant, kReaders},
    {"GetRoot", kListing, kTenant, kReaders},
    {"ListIntermediates", kListing, kTenant, kReaders},

    {"RegisterRelyingParty", kChange, kTenant, kAdministrators},
    {"RemoveRelyingParty", kChange, kTenant, kAdministrators},
    {"AttestRelyingParty", kChange, kTenant, kAdministrators},
    {"ListRelyingParties", kListing, kTenant, kReaders},
    {"GetRotation", kListing, kTenant, kReaders},
    {"PlanRotation", kListing, kTenant, kReaders},

    {"CreateKey", kChange, kEveryTenant, kAdministrators},
    {"DestroyKey", kChange, kEveryTenant, kAdministrators},
    {"ListKeys", kListing, kEveryTenant, kAdministrators},

    {"ReportDevice", kChange, kTenant, kReporters},
    {"ReportDevices", kChange, kTenant, kReporters},
    {"RemoveDevice", kChange, kTenant, kAdministrators},
    {"ListDevices", kListing, kTenant, kReadersOfDevices},
    {"GetDevice", kListing, kTenant, kReadersOfDevices},

    {"ImportPolicies", kChange, kTenant, kAdministrators},
    {"SetPolicyState", kChange, kTenant, kAdministrators},
    {"DeletePolicy", kChange, kTenant, kAdministrators},
    {"ListPolicies", kListing, kTenant, kReaders},
    {"GetPolicy", kListing, kTenant, kReaders},
    {"ListPolicyVersions", kListing, kTenant, kReaders},
    {"WhatIf", kListing, kTenant, kReaders},

    {"PutBlock", kChange, kTenant, kAdministrators},
    {"RemoveBlock", kChange, kTenant, kAdministrators},
    {"ListBlocks", kListing, kTenant, kReaders},

    {"EnrolDeviceKey", kChange, kTenant, kBrokers},
    {"ApproveDeviceKey", kChange, kTenant, kAdministrators},
    {"RemoveDeviceKey", kChange, kTenant, kAdministrators},
    {"ListDeviceKeys", kListing, kTenant, kReaders},

    {"PutUsers", kChange, kTenant, kAdministrators},
    {"RemoveStaleUsers", kChange, kTenant, kAdministrators},
    {"RemoveUser", kChange, kTenant, kAdministrators},
    {"GetUser", kListing, kTenant, kReaders},
    {"ListUsers", kListing, kTenant, kReaders},

    {"ListRefusals", kListing, kTenant, kReaders},
    {"WatchDecisions", kListing, kTenant, kReadersOfDecisions},

    {"ListCertificates", kListing, kTenant, kReaders},
    {"GetCertificate", kListing, kTenant, kReaders},
    {"ListAdministrativeActions", kListing, kTenant, kReaders},
};

std::string NamesOf(const RoleSet& roles) {
  std::string names;
  for (const Role role : {Role::kRelyingParty, Role::kBroker, Role::kDeviceReporter,
                          Role::kAdministrator, Role::kAuditor}) {
    if (!roles.Has(role)) continue;
    absl::StrAppend(&names, names.empty() ? "" : " or ", RoleName(role));
  }
  return names;
}

}  // namespace

absl::Span<const Method> Methods() { return kMethods; }

const Method& MethodNamed(absl::string_view name) {
  const auto* const found = std::find_if(std::begin(kMethods), std::end(kMethods),
                                         [&](const Method& method) { return method.name == name; });
  if (found == std::end(kMethods)) std::abort();
  return *found;
}

absl::Status CheckBound(const Caller& caller, absl::string_view tenant_id) {
  if (caller.all_tenants || tenant_id.empty()) return CheckTenantId(tenant_id);
  if (std::find(caller.tenants.begin(), caller.tenants.end(), tenant_id) != caller.tenants.end()) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kTenantNotPermitted, "tenant_id",
               absl::StrCat("caller ", caller.name, " is not bound to this tenant"));
}

absl::Status Permit(const Caller& caller, const Method& method, absl::string_view tenant_id) {
  if (std::none_of(caller.roles.begin(), caller.roles.end(),
                   [&](Role role) { return method.roles.Has(role); })) {
    return Error(ErrorReason::kRoleNotPermitted, "",
                 absl::StrCat(method.name, " takes the role ", NamesOf(method.roles),
                              ", and caller ", caller.name, " has it not"));
  }
  switch (method.scope) {
    case kTenant:
      return CheckBound(caller, tenant_id);
    case kEveryTenant:
      if (caller.all_tenants) return absl::OkStatus();
      return Error(ErrorReason::kTenantNotPermitted, "",
                   absl::StrCat(method.name, " takes a caller bound to every tenant, and caller ",
                                caller.name, " is not"));
    case kOwnTenants:
      return absl::OkStatus();
  }
  return Error(ErrorReason::kInternalError, "", "a scope of methods that there is not");
}

}  // namespace hourglass::issuance
