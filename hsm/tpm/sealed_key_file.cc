#include "hsm/tpm/sealed_key_file.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <utility>

#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/key_uri.h"
#include "hsm/tpm/octet_reader.h"

namespace hourglass::hsm {
namespace {

using CipherContextPtr = OpensslPtr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

constexpr absl::string_view kMagic = "HGSKEY01";
constexpr std::size_t kLargestPublicKey = 1024;
constexpr std::size_t kLargestSealed = 2048;
constexpr std::size_t kLargestPrivateKey = 4096;

// The number of each type in files, which must never change.
constexpr std::pair<KeyType, char> kTypeNumbers[] = {
    {KeyType::kEcP256, 0},  {KeyType::kEcP384, 1},  {KeyType::kRsa2048, 2},
    {KeyType::kRsa3072, 3}, {KeyType::kRsa4096, 4},
};

const unsigned char* Octets(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::Status Changed() {
  return Error(ErrorReason::kKeyUnfit, "", "its file was changed, or is no sealed key");
}

absl::Status CipherFailed() { return Error(ErrorReason::kInternalError, "", DrainOpensslErrors()); }

// What the tag covers besides the private key.
std::string AdditionalData(const SealedKeyFile& file, std::size_t ciphertext_size) {
  std::string out(kMagic);
  for (const auto& [type, number] : kTypeNumbers) {
    if (type == file.type) out.push_back(number);
  }
  out.push_back(static_cast<char>(file.name.size()));
  out.append(file.name);
  AppendSized(out, file.public_key);
  AppendSized(out, file.sealed);
  AppendSized(out, file.recovery);
  out.append(file.nonce);
  out.push_back(static_cast<char>(ciphertext_size >> 8));
  out.push_back(static_cast<char>(ciphertext_size));
  return out;
}

bool IsPublicKeyOf(absl::string_view spki, KeyType type) {
  const absl::StatusOr<EvpPkeyPtr> key = ParsePublicKey(spki);
  if (!key.ok()) return false;
  const absl::StatusOr<KeyType> found = KeyTypeOf(**key);
  return found.ok() && *found == type;
}

}  // namespace

std::string FormatSealedKeyFile(const SealedKeyFile& file) {
  return AdditionalData(file, file.ciphertext.size()) + file.ciphertext + file.tag;
}

absl::StatusOr<SealedKeyFile> ParseSealedKeyFile(absl::string_view octets) {
  if (!absl::ConsumePrefix(&octets, kMagic)) return Changed();
  OctetReader reader(octets);
  SealedKeyFile file;
  const std::size_t number = reader.TakeOctet();
  reader.Require(number < std::size(kTypeNumbers));
  file.type = kTypeNumbers[number % std::size(kTypeNumbers)].first;
  file.name = std::string(reader.Take(reader.TakeOctet()));
  reader.Require(IsKeyName(file.name));
  file.public_key = reader.TakeSized(1, kLargestPublicKey);
  file.sealed = reader.TakeSized(1, kLargestSealed);
  file.recovery = reader.TakeSized(0, kLargestSealed);
  file.nonce = std::string(reader.Take(kNonceSize));
  file.ciphertext = reader.TakeSized(1, kLargestPrivateKey);
  file.tag = std::string(reader.Take(kTagSize));
  if (!reader.Done() || !IsPublicKeyOf(file.public_key, file.type)) return Changed();
  return file;
}

absl::Status EncryptPrivateKey(absl::string_view pkcs8, absl::string_view key_encryption_key,
                               SealedKeyFile& file) {
  file.nonce.assign(kNonceSize, '\0');
  file.ciphertext.assign(pkcs8.size(), '\0');
  file.tag.assign(kTagSize, '\0');
  if (key_encryption_key.size() != kKeyEncryptionKeySize || pkcs8.size() > kLargestPrivateKey ||
      RAND_bytes(reinterpret_cast<unsigned char*>(file.nonce.data()), kNonceSize) != 1) {
    return CipherFailed();
  }
  const std::string additional = AdditionalData(file, pkcs8.size());
  const CipherContextPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  auto* const out = reinterpret_cast<unsigned char*>(file.ciphertext.data());
  if (context == nullptr ||
      EVP_EncryptInit_ex2(context.get(), EVP_aes_256_gcm(), Octets(key_encryption_key),
                          Octets(file.nonce), nullptr) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &size, Octets(additional),
                        static_cast<int>(additional.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), out, &size, Octets(pkcs8), static_cast<int>(pkcs8.size())) !=
          1 ||
      EVP_EncryptFinal_ex(context.get(), out + size, &size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, file.tag.data()) != 1) {
    return CipherFailed();
  }
  return absl::OkStatus();
}

absl::StatusOr<SecureOctets> DecryptPrivateKey(const SealedKeyFile& file,
                                               absl::string_view key_encryption_key) {
  if (key_encryption_key.size() != kKeyEncryptionKeySize) return Changed();
  SecureOctets pkcs8(file.ciphertext.size());
  if (pkcs8.data() == nullptr) {
    return Error(ErrorReason::kKeyUnavailable, "", "the secure heap is full");
  }
  const std::string additional = AdditionalData(file, file.ciphertext.size());
  std::string tag = file.tag;
  const CipherContextPtr context(EVP_CIPHER_CTX_new());
  int size = 0;
  if (context == nullptr ||
      EVP_DecryptInit_ex2(context.get(), EVP_aes_256_gcm(), Octets(key_encryption_key),
                          Octets(file.nonce), nullptr) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &size, Octets(additional),
                        static_cast<int>(additional.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), pkcs8.data(), &size, Octets(file.ciphertext),
                        static_cast<int>(file.ciphertext.size())) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) != 1) {
    return CipherFailed();
  }
  if (EVP_DecryptFinal_ex(context.get(), pkcs8.data() + size, &size) != 1) {
    DrainOpensslErrors();
    return Changed();
  }
  return pkcs8;
}

}  // namespace hourglass::hsm
