#include "issuance/tokens/request_agreement.h"

#include "ca/names/name_rules.h"
#include "issuance/tokens/guid.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {

absl::Status CheckRequestedFor(const RequestedFor& request, const TokenIdentity& identity) {
  if (!request.user_id.empty() && CanonicalGuid(request.user_id) != identity.user_id) {
    return TokenError(TokenFault::kAnotherUser, "the request has another user id than the token");
  }
  if (!request.upn.empty() &&
      (identity.upn.empty() || ca::FoldedUpn(request.upn) != ca::FoldedUpn(identity.upn))) {
    return TokenError(TokenFault::kAnotherUser, "the request has another UPN than the token");
  }
  if (!request.device_id.empty() && CanonicalGuid(request.device_id) != identity.device_id) {
    return TokenError(TokenFault::kAnotherDevice, "the request has another device than the token");
  }
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
