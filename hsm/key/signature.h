// Verifying what a SigningKey answered.
#ifndef HOURGLASS_HSM_KEY_SIGNATURE_H_
#define HOURGLASS_HSM_KEY_SIGNATURE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

class EvpContextPool;

// A parsed public key, ready to verify. Cheap to move; safe to call from several threads.
class VerifyingKey {
 public:
  // Takes a SubjectPublicKeyInfo, DER. Errors: as ParsePublicKey of hsm/key/key_type.h.
  static absl::StatusOr<VerifyingKey> FromPublicKey(absl::string_view spki);

  VerifyingKey(VerifyingKey&&) noexcept;
  VerifyingKey& operator=(VerifyingKey&&) noexcept;
  ~VerifyingKey();

  KeyType type() const { return type_; }
  const std::string& public_key() const { return public_key_; }

  // OK only if `signature` is, in the form that SigningKey::Sign gives, this key's signature of
  // `message`. Errors: KEY_MISMATCH, INTERNAL_ERROR.
  absl::Status Verify(absl::string_view message, absl::string_view signature) const;
  // The same for a message of which only the hash, by DigestOf(type()), is given.
  absl::Status VerifyDigest(absl::string_view digest, absl::string_view signature) const;

 private:
  VerifyingKey(KeyType type, absl::string_view spki, std::unique_ptr<EvpContextPool> contexts);

  KeyType type_;
  std::string public_key_;
  std::unique_ptr<EvpContextPool> contexts_;
};

// The same for one signature by a key that must be of `type`. Errors: as above, KEY_MISMATCH where
// the type differs.
absl::Status VerifySignature(absl::string_view spki, KeyType type, absl::string_view message,
                             absl::string_view signature);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_SIGNATURE_H_
