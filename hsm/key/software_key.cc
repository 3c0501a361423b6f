#include "hsm/key/software_key.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/evp_context_pool.h"
#include "hsm/key/key_type.h"
#include "hsm/key/out_of_service.h"
#include "hsm/key/private_octets.h"
#include "hsm/key/signature.h"

namespace hourglass::hsm {
namespace {

using Pkcs8Ptr = OpensslPtr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;

// A P-384 Ecdsa-Sig-Value takes at most 104 octets, an RSA-4096 signature 512.
constexpr size_t kLargestSignature = 512;

// The private exponent of an RSA-4096 key, and its PKCS #8 document.
constexpr size_t kLargestPrivatePart = 4096;

class SoftwareKey final : public SigningKey {
 public:
  SoftwareKey(KeyType type, std::string public_key, std::unique_ptr<EvpContextPool> contexts,
              PrivateOctets octets)
      : type_(type),
        public_key_(std::move(public_key)),
        contexts_(std::move(contexts)),
        octets_(std::move(octets)) {}

  KeyType type() const override { return type_; }
  const std::string& public_key() const override { return public_key_; }
  bool signs_in_process() const override { return true; }

  absl::StatusOr<std::string> Sign(absl::string_view message) override {
    ASSIGN_OR_RETURN(std::string signature, SignUnchecked(message));
    RETURN_IF_ERROR(CheckOctets());
    return signature;
  }

  std::vector<absl::StatusOr<std::string>> SignAll(
      absl::Span<const absl::string_view> messages) override {
    std::vector<absl::StatusOr<std::string>> signatures;
    signatures.reserve(messages.size());
    for (const absl::string_view message : messages) signatures.push_back(SignUnchecked(message));
    const absl::Status sound = CheckOctets();
    if (!sound.ok()) return {messages.size(), sound};
    return signatures;
  }

  void TakeOutOfService() override { out_of_service_.Set(); }

 private:
  // What has flipped before or while something was signed is flipped still.
  absl::Status CheckOctets() {
    if (octets_.AreAsTheyWere()) return absl::OkStatus();
    out_of_service_.Set();
    return Error(ErrorReason::kKeyMismatch, "software key",
                 "its octets in memory have changed: it is out of service");
  }

  absl::StatusOr<std::string> SignUnchecked(absl::string_view message) {
    RETURN_IF_ERROR(out_of_service_.Check("software key"));
    ASSIGN_OR_RETURN(const std::string digest, Digest(type_, message));
    ASSIGN_OR_RETURN(EvpPkeyCtxPtr context, contexts_->Take());
    unsigned char signature[kLargestSignature];
    size_t size = sizeof(signature);
    if (EVP_PKEY_sign(context.get(), signature, &size,
                      reinterpret_cast<const unsigned char*>(digest.data()), digest.size()) != 1) {
      return Error(ErrorReason::kKeyUnavailable, "software key", DrainOpensslErrors());
    }
    contexts_->GiveBack(std::move(context));
    return std::string(reinterpret_cast<const char*>(signature), size);
  }

  const KeyType type_;
  const std::string public_key_;
  const std::unique_ptr<EvpContextPool> contexts_;
  const PrivateOctets octets_;
  OutOfService out_of_service_;
};

absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareKeyOf(EvpPkeyPtr key) {
  ASSIGN_OR_RETURN(const KeyType type, KeyTypeOf(*key));
  ASSIGN_OR_RETURN(std::string public_key, EncodePublicKey(*key));
  ASSIGN_OR_RETURN(PrivateOctets octets, PrivateOctets::Of(key.get()));
  ASSIGN_OR_RETURN(std::unique_ptr<EvpContextPool> contexts,
                   EvpContextPool::Create(std::move(key), type, EvpContextPool::Operation::kSign));
  auto signing_key = std::make_unique<SoftwareKey>(type, std::move(public_key), std::move(contexts),
                                                   std::move(octets));
  constexpr absl::string_view kProbe = "hourglass key check";
  ASSIGN_OR_RETURN(const std::string signature, signing_key->Sign(kProbe));
  RETURN_IF_ERROR(VerifySignature(signing_key->public_key(), type, kProbe, signature));
  return signing_key;
}

absl::StatusOr<EvpPkeyPtr> GenerateEvpKey(KeyType type) {
  EVP_PKEY* key = nullptr;
  if (IsEc(type)) {
    key = EVP_EC_gen(type == KeyType::kEcP256 ? "P-256" : "P-384");
  } else {
    key = EVP_RSA_gen(static_cast<size_t>(KeyBits(type)));
  }
  if (key == nullptr) return Error(ErrorReason::kInternalError, "key", DrainOpensslErrors());
  return EvpPkeyPtr(key);
}

// OpenSSL's words for a malformed key hold none of its octets, but say nothing useful either; and
// it says the same where there is no room for what is private of the key.
absl::Status NoPrivateKey(absl::string_view form) {
  DrainOpensslErrors();
  if (SecureOctets(kLargestPrivatePart).data() == nullptr) {
    return Error(ErrorReason::kKeyUnavailable, "private_key",
                 "the memory that is locked for keys is full: have fewer of them open");
  }
  return Error(ErrorReason::kKeyInvalid, "private_key",
               absl::StrCat("not an unencrypted PKCS#8 ", form, " private key"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<SigningKey>> GenerateSoftwareKey(KeyType type) {
  ASSIGN_OR_RETURN(EvpPkeyPtr key, GenerateEvpKey(type));
  return SoftwareKeyOf(std::move(key));
}

absl::StatusOr<std::string> GenerateSoftwareKeyPem(KeyType type) {
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, GenerateEvpKey(type));
  const BioPtr pem(BIO_new(BIO_s_secmem()));
  char* data = nullptr;
  if (pem == nullptr || PEM_write_bio_PKCS8PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0,
                                                      nullptr, nullptr) != 1) {
    return Error(ErrorReason::kInternalError, "key", DrainOpensslErrors());
  }
  const long size = BIO_get_mem_data(pem.get(), &data);
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareKeyFromPem(absl::string_view pkcs8_pem) {
  const BioPtr pem(BIO_new_mem_buf(pkcs8_pem.data(), static_cast<int>(pkcs8_pem.size())));
  // Without a callback OpenSSL would ask at the terminal for the password of an encrypted block.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  const Pkcs8Ptr pkcs8(
      pem == nullptr ? nullptr
                     : PEM_read_bio_PKCS8_PRIV_KEY_INFO(pem.get(), nullptr, no_password, nullptr));
  EvpPkeyPtr key(pkcs8 == nullptr ? nullptr : EVP_PKCS82PKEY(pkcs8.get()));
  if (key == nullptr) return NoPrivateKey("PEM");
  return SoftwareKeyOf(std::move(key));
}

absl::StatusOr<SecureOctets> GenerateSoftwareKeyDer(KeyType type) {
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, GenerateEvpKey(type));
  const Pkcs8Ptr pkcs8(EVP_PKEY2PKCS8(key.get()));
  const int size = pkcs8 == nullptr ? -1 : i2d_PKCS8_PRIV_KEY_INFO(pkcs8.get(), nullptr);
  if (size <= 0) return Error(ErrorReason::kInternalError, "key", DrainOpensslErrors());
  SecureOctets der(static_cast<size_t>(size));
  unsigned char* cursor = der.data();
  if (cursor == nullptr) {
    return Error(ErrorReason::kKeyUnavailable, "key", "the secure heap is full");
  }
  i2d_PKCS8_PRIV_KEY_INFO(pkcs8.get(), &cursor);
  return der;
}

absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareKeyFromDer(absl::string_view pkcs8_der) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(pkcs8_der.data());
  const auto* const end = cursor + pkcs8_der.size();
  const Pkcs8Ptr pkcs8(
      d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(pkcs8_der.size())));
  EvpPkeyPtr key(pkcs8 == nullptr || cursor != end ? nullptr : EVP_PKCS82PKEY(pkcs8.get()));
  if (key == nullptr) return NoPrivateKey("DER");
  return SoftwareKeyOf(std::move(key));
}

}  // namespace hourglass::hsm
