#include "issuance/rotation/key_claims.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"

namespace hourglass::issuance {

KeyClaims::Claim::Claim(Claim&& other) noexcept
    : claims_(std::exchange(other.claims_, nullptr)), claimed_(std::move(other.claimed_)) {}

KeyClaims::Claim& KeyClaims::Claim::operator=(Claim&& other) noexcept {
  if (this == &other) return *this;
  Release();
  claims_ = std::exchange(other.claims_, nullptr);
  claimed_ = std::move(other.claimed_);
  return *this;
}

absl::Status KeyClaims::Claim::ClaimPublicKey(absl::string_view public_key) {
  if (public_key.empty()) return absl::OkStatus();
  return claims_->Take(absl::StrCat("key ", public_key), *this);
}

void KeyClaims::Claim::Release() {
  if (claims_ == nullptr) return;
  const MutexLock lock(claims_->mutex_);
  for (const std::string& what : claimed_) claims_->claimed_.erase(what);
  claimed_.clear();
  claims_ = nullptr;
}

absl::StatusOr<KeyClaims::Claim> KeyClaims::ClaimName(absl::string_view key_uri) {
  Claim claim;
  claim.claims_ = this;
  RETURN_IF_ERROR(Take(absl::StrCat("name ", hsm::UriWithoutId(key_uri)), claim));
  return claim;
}

absl::Status KeyClaims::Take(std::string what, Claim& claim) {
  const MutexLock lock(mutex_);
  if (!claimed_.insert(what).second) {
    return Error(ErrorReason::kKeyInUse, "key_uri",
                 "another change has this key, or one of its name, in hand; ask again");
  }
  claim.claimed_.push_back(std::move(what));
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
