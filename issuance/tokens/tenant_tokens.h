// The access tokens of one tenant: its rules, its issuer's keys, and what was used.
#ifndef HOURGLASS_ISSUANCE_TOKENS_TENANT_TOKENS_H_
#define HOURGLASS_ISSUANCE_TOKENS_TENANT_TOKENS_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/tokens/access_token.h"
#include "issuance/tokens/key_set_source.h"
#include "issuance/tokens/token_uses.h"

namespace hourglass::issuance {

// Who brings a token, and for what.
struct TokenBearer {
  absl::string_view caller;      // the caller's name in the configuration
  absl::string_view request_id;  // not empty
};

// Safe to use from several threads. Waits for nothing but, at times, a file that has changed.
class TenantTokens {
 public:
  // `keys` may be shared with other tenants of the same issuer; not null.
  TenantTokens(TokenRules rules, const TokenUseOptions& uses, std::shared_ptr<KeySetSource> keys);

  // What the token says, as CheckAccessToken has it with the newest keys; notes nothing.
  // `certificate_sha256`: of the caller's certificate, 32 octets. `now` must be trusted. Errors,
  // all TokenError: those of CheckAccessToken, kMissing where it is empty, and kKeysUnavailable.
  absl::StatusOr<TokenIdentity> Check(absl::string_view token, absl::string_view certificate_sha256,
                                      Timestamp now);

  // Binds a token that was checked to the request: to be called after everything else that is known
  // to refuse the request, CheckRequestedFor too, so that who asks in another's name does not use
  // up his token. What fails afterwards may be tried again with the same token and request id.
  // Errors, all TokenError: those of TokenUses::Note.
  absl::Status Bind(const TokenIdentity& identity, const TokenBearer& bearer, Timestamp now);

  const TokenRules& rules() const { return rules_; }
  KeySetHealth KeyHealth() const { return keys_->Health(); }
  std::size_t remembered() const { return uses_.size(); }

 private:
  const TokenRules rules_;
  const std::shared_ptr<KeySetSource> keys_;
  TokenUses uses_;
};

// By tenant id; a tenant that is not there takes the broker's word.
using TokensByTenant = absl::flat_hash_map<std::string, std::unique_ptr<TenantTokens>>;

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TOKENS_TENANT_TOKENS_H_
