// The file of a sealed key.
#ifndef HOURGLASS_HSM_TPM_SEALED_KEY_FILE_H_
#define HOURGLASS_HSM_TPM_SEALED_KEY_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/secure_heap.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

inline constexpr std::size_t kKeyEncryptionKeySize = 32;
inline constexpr std::size_t kNonceSize = 12;
inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kLargestSealedKeyFile = 16384;

// The octets of the file, integers with the most significant octet first:
//    8  "HGSKEY01"
//    1  KeyType: 0 ec-p256, 1 ec-p384, 2 rsa-2048, 3 rsa-3072, 4 rsa-4096
//    1  size, and the key's name, 1 to 128 octets
//    2  size, and its SubjectPublicKeyInfo, DER, 1 to 1024 octets
//    2  size, and the sealed key-encryption key (hsm/tpm/seal_blob.h), 1 to 2048 octets
//    2  size, and the same key sealed under the recovery code, 0 (none) to 2048 octets
//   12  nonce, random for each writing
//    2  size, and the private key, PKCS#8 DER under AES-256-GCM, 1 to 4096 octets
//   16  its tag; the additional data are all octets before the private key
struct SealedKeyFile {
  KeyType type = KeyType::kEcP256;
  std::string name;
  std::string public_key;
  std::string sealed;
  std::string recovery;
  std::string nonce;
  std::string ciphertext;
  std::string tag;

  bool operator==(const SealedKeyFile&) const = default;
};

std::string FormatSealedKeyFile(const SealedKeyFile& file);

// Takes what FormatSealedKeyFile gives, and nothing else; the name must be a key's, and the public
// key of the type. Errors: KEY_UNFIT.
absl::StatusOr<SealedKeyFile> ParseSealedKeyFile(absl::string_view octets);

// Fills nonce, ciphertext and tag from the rest of `file`. `key_encryption_key` has
// kKeyEncryptionKeySize octets. Errors: INTERNAL_ERROR.
absl::Status EncryptPrivateKey(absl::string_view pkcs8, absl::string_view key_encryption_key,
                               SealedKeyFile& file);

// PKCS#8, DER. Errors: KEY_UNFIT where anything in `file` was changed or the key is another one,
// KEY_UNAVAILABLE where the secure heap is full.
absl::StatusOr<SecureOctets> DecryptPrivateKey(const SealedKeyFile& file,
                                               absl::string_view key_encryption_key);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_SEALED_KEY_FILE_H_
