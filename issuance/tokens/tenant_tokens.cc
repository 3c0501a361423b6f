#include "issuance/tokens/tenant_tokens.h"

#include <utility>

#include "hsm/base/status_macros.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {

TenantTokens::TenantTokens(TokenRules rules, const TokenUseOptions& uses,
                           std::shared_ptr<KeySetSource> keys)
    : rules_(std::move(rules)), keys_(std::move(keys)), uses_(uses) {}

absl::StatusOr<TokenIdentity> TenantTokens::Accept(absl::string_view token,
                                                   const TokenBearer& bearer,
                                                   const RequestedFor& request, Timestamp now) {
  const std::shared_ptr<const KeySet> keys = keys_->Get();
  if (keys == nullptr) {
    return TokenError(TokenFault::kKeysUnavailable, "the issuer's keys were not read yet");
  }
  absl::StatusOr<TokenIdentity> identity =
      CheckAccessToken(token, *keys, rules_, bearer.certificate_sha256, now);
  if (TokenFaultOf(identity.status()) == TokenFault::kKeyUnknown) keys_->KeyIsUnknown();
  RETURN_IF_ERROR(identity.status());
  // Before the use is noted: who asks in another's name must not use up his token.
  RETURN_IF_ERROR(CheckRequestedFor(request, *identity));
  RETURN_IF_ERROR(uses_.Note({.issuer = identity->issuer,
                              .token_id = identity->token_id,
                              .caller = bearer.caller,
                              .request_id = bearer.request_id,
                              .accepted_until = identity->expires_at + rules_.clock_skew},
                             now));
  return identity;
}

}  // namespace hourglass::issuance
