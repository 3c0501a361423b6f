#include "issuance/server/enrolment_tokens.h"

#include <string>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/tokens/request_agreement.h"

namespace hourglass::issuance {

EnrolmentToken EnrolmentTokenBy(const TokensByTenant* tokens) {
  return [tokens](const Caller& caller, const v1::EnrolDeviceKeyRequest& request,
                  absl::string_view key_id, Timestamp now) -> absl::StatusOr<std::string> {
    const auto found = tokens->find(request.tenant_id());
    if (found == tokens->end()) {
      return Error(ErrorReason::kFieldInvalid, "access_token",
                   "the tenant takes no access tokens: an administrator approves the key");
    }
    TenantTokens& of_tenant = *found->second;
    ASSIGN_OR_RETURN(const TokenIdentity identity,
                     of_tenant.Check(request.access_token(), /*certificate_sha256=*/"", now));
    RETURN_IF_ERROR(CheckRequestedFor({.device_id = request.device_id()}, identity));
    RETURN_IF_ERROR(of_tenant.Bind(identity, {caller.name, key_id}, now));
    return identity.user_id;
  };
}

}  // namespace hourglass::issuance
