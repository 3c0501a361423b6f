#include "issuance/tokens/tenant_tokens.h"

#include <utility>

#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {

TenantTokens::TenantTokens(TokenRules rules, const TokenUseOptions& uses,
                           std::shared_ptr<KeySetSource> keys)
    : rules_(std::move(rules)), keys_(std::move(keys)), uses_(uses) {}

absl::StatusOr<TokenIdentity> TenantTokens::Check(absl::string_view token,
                                                  absl::string_view certificate_sha256,
                                                  Timestamp now) {
  // Whatever the keys: who brings none is not to wait for them.
  if (token.empty()) return TokenError(TokenFault::kMissing, "the tenant takes access tokens only");
  const std::shared_ptr<const KeySet> keys = keys_->Get();
  if (keys == nullptr) {
    return TokenError(TokenFault::kKeysUnavailable, "the issuer's keys were not read yet");
  }
  absl::StatusOr<TokenIdentity> identity =
      CheckAccessToken(token, *keys, rules_, certificate_sha256, now);
  if (TokenFaultOf(identity.status()) == TokenFault::kKeyUnknown) keys_->KeyIsUnknown();
  return identity;
}

absl::Status TenantTokens::Bind(const TokenIdentity& identity, const TokenBearer& bearer,
                                Timestamp now) {
  return uses_.Note({.issuer = identity.issuer,
                     .token_id = identity.token_id,
                     .caller = bearer.caller,
                     .request_id = bearer.request_id,
                     .accepted_until = identity.expires_at + rules_.clock_skew},
                    now);
}

}  // namespace hourglass::issuance
