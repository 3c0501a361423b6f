#include "hsm/key/signature.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/evp_context_pool.h"
#include "hsm/key/key_type.h"

namespace hourglass::hsm {

absl::StatusOr<VerifyingKey> VerifyingKey::FromPublicKey(absl::string_view spki) {
  ASSIGN_OR_RETURN(EvpPkeyPtr key, ParsePublicKey(spki));
  ASSIGN_OR_RETURN(const KeyType type, KeyTypeOf(*key));
  ASSIGN_OR_RETURN(
      std::unique_ptr<EvpContextPool> contexts,
      EvpContextPool::Create(std::move(key), type, EvpContextPool::Operation::kVerify));
  return VerifyingKey(type, spki, std::move(contexts));
}

VerifyingKey::VerifyingKey(KeyType type, absl::string_view spki,
                           std::unique_ptr<EvpContextPool> contexts)
    : type_(type), public_key_(spki), contexts_(std::move(contexts)) {}
VerifyingKey::VerifyingKey(VerifyingKey&&) noexcept = default;
VerifyingKey& VerifyingKey::operator=(VerifyingKey&&) noexcept = default;
VerifyingKey::~VerifyingKey() = default;

absl::Status VerifyingKey::Verify(absl::string_view message, absl::string_view signature) const {
  ASSIGN_OR_RETURN(const std::string digest, Digest(type_, message));
  return VerifyDigest(digest, signature);
}

absl::Status VerifyingKey::VerifyDigest(absl::string_view digest,
                                        absl::string_view signature) const {
  ASSIGN_OR_RETURN(EvpPkeyCtxPtr context, contexts_->Take());
  const int verdict = EVP_PKEY_verify(
      context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
      reinterpret_cast<const unsigned char*>(digest.data()), digest.size());
  if (verdict != 1) {
    DrainOpensslErrors();
    return Error(ErrorReason::kKeyMismatch, "signature", "does not verify with the public key");
  }
  contexts_->GiveBack(std::move(context));
  return absl::OkStatus();
}

absl::Status VerifySignature(absl::string_view spki, KeyType type, absl::string_view message,
                             absl::string_view signature) {
  ASSIGN_OR_RETURN(const VerifyingKey key, VerifyingKey::FromPublicKey(spki));
  if (key.type() != type) {
    return Error(
        ErrorReason::kKeyMismatch, "public_key",
        absl::StrCat("is ", KeyTypeName(key.type()), " where ", KeyTypeName(type), " is expected"));
  }
  return key.Verify(message, signature);
}

}  // namespace hourglass::hsm
