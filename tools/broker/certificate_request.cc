#include "tools/broker/certificate_request.h"

#include <openssl/pem.h>

#include "absl/strings/str_cat.h"
#include "ca/encoding/file_forms.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"

namespace hourglass::broker {
namespace {

absl::Status Invalid(absl::string_view field, absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, field, absl::StrCat(what, ": ", DrainOpensslErrors()));
}

BioPtr Reader(absl::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<CertificateRequest> Encode(X509_REQ* request) {
  unsigned char* encoded = nullptr;
  const int size = i2d_X509_REQ(request, &encoded);
  if (size < 0) return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  CertificateRequest result;
  result.der.assign(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
  OPENSSL_free(encoded);
  const EVP_PKEY* key = X509_REQ_get0_pubkey(request);
  if (key == nullptr) return Invalid("--csr", "its public key cannot be read");
  ASSIGN_OR_RETURN(result.public_key, hsm::EncodePublicKey(*key));
  return result;
}

}  // namespace

absl::StatusOr<CertificateRequest> MakeCertificateRequest(absl::string_view private_key_pem) {
  const BioPtr bio = Reader(private_key_pem);
  const EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr) return Invalid("key", "not a private key");
  ASSIGN_OR_RETURN(const hsm::KeyType type, hsm::KeyTypeOf(*key));
  const X509ReqPtr request(X509_REQ_new());
  if (request == nullptr || X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), hsm::DigestOf(type)) <= 0) {
    return Error(ErrorReason::kInternalError, "",
                 absl::StrCat("cannot make a request: ", DrainOpensslErrors()));
  }
  return Encode(request.get());
}

absl::StatusOr<CertificateRequest> ReadCertificateRequest(absl::string_view content) {
  const absl::StatusOr<std::string> der = ca::SoleRequest(content);
  if (!der.ok()) return Error(ErrorReason::kFieldInvalid, "--csr", der.status().message());
  const auto* next = reinterpret_cast<const unsigned char*>(der->data());
  const auto* end = next + der->size();
  const X509ReqPtr request(
      d2i_X509_REQ(nullptr, &next, static_cast<long>(der->size())));  // NOLINT(google-runtime-int)
  if (request == nullptr) return Invalid("--csr", "the request in it is damaged");
  if (next != end) return Error(ErrorReason::kFieldInvalid, "--csr", "octets follow the request");
  return Encode(request.get());
}

}  // namespace hourglass::broker
