#include "issuance/tokens/token_uses.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"
#include "issuance/tokens/token_fault.h"

namespace hourglass::issuance {
namespace {

// In one call, so that none waits for a whole minute's tokens to go.
constexpr int kForgottenAtOnce = 64;

}  // namespace

TokenUses::Digest TokenUses::DigestOf(absl::string_view text) {
  Digest digest;
  const std::string sha256 = ca::Sha256(text);
  std::copy(sha256.begin(), sha256.end(), digest.begin());
  return digest;
}

void TokenUses::Forget(Timestamp now) {
  for (int left = kForgottenAtOnce; left > 0 && !ends_.empty(); --left) {
    const auto first = ends_.begin();
    if (first->first > now) return;
    entries_.erase(first->second.back());
    first->second.pop_back();
    if (first->second.empty()) ends_.erase(first);
  }
}

absl::Status TokenUses::Note(const TokenUse& use, Timestamp now) {
  const Digest token = DigestOf(absl::StrCat(use.issuer.size(), ":", use.issuer, use.token_id));
  const Entry entry = {DigestOf(use.caller), DigestOf(use.request_id)};
  const MutexLock lock(mutex_);
  Forget(now);
  if (const auto known = entries_.find(token); known != entries_.end()) {
    if (known->second.caller != entry.caller) {
      return TokenError(TokenFault::kUsedByAnotherCaller, "another caller has used it before");
    }
    if (known->second.request_id == entry.request_id || options_.reuse == TokenReuse::kSameCaller) {
      return absl::OkStatus();
    }
    return TokenError(TokenFault::kReplayed,
                      "it was used for another request before: get a new one from the issuer");
  }
  if (entries_.size() >= options_.capacity) {
    return TokenError(TokenFault::kTooManyTokens,
                      "the tenant's tokens that have not expired are more than are remembered");
  }
  entries_.emplace(token, entry);
  ends_[std::chrono::ceil<std::chrono::minutes>(use.accepted_until)].push_back(token);
  return absl::OkStatus();
}

std::size_t TokenUses::size() const {
  const MutexLock lock(mutex_);
  return entries_.size();
}

}  // namespace hourglass::issuance
