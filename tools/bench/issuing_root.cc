#include "tools/bench/issuing_root.h"

#include <openssl/pem.h>

#include <utility>

#include "ca/certificate/profile.h"
#include "ca/issuers/root_certificate.h"
#include "ca/request/certificate_request.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "hsm/key/software_key.h"

namespace hourglass::bench {
namespace {

constexpr ca::Time kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 20);

const unsigned char* Octets(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

absl::StatusOr<std::unique_ptr<ca::Authority>> MakeAuthority(const std::string& pem) {
  ASSIGN_OR_RETURN(std::unique_ptr<hsm::SigningKey> key, hsm::SoftwareKeyFromPem(pem));
  ASSIGN_OR_RETURN(ca::RootCertificate root,
                   ca::IssueRoot({.display_name = "Contoso",
                                  .now = kNow,
                                  .duration = std::chrono::days(365),
                                  .serial_entropy = std::string(ca::kSerialSize, 's')},
                                 *key));
  ASSIGN_OR_RETURN(const ca::LeafProfile profile, ca::LeafProfile::Create({}));
  return ca::Authority::Create(std::move(root), std::move(key), profile);
}

// Null where OpenSSL fails.
EvpPkeyCtxPtr MakeSigning(hsm::KeyType type, const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  EvpPkeyCtxPtr context(key == nullptr ? nullptr
                                       : EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  const bool ready = context != nullptr && EVP_PKEY_sign_init(context.get()) == 1 &&
                     EVP_PKEY_CTX_set_signature_md(context.get(), hsm::DigestOf(type)) == 1;
  return ready ? std::move(context) : nullptr;
}

}  // namespace

absl::StatusOr<IssuingRoot> IssuingRoot::Create(hsm::KeyType type) {
  ASSIGN_OR_RETURN(const std::string pem, hsm::GenerateSoftwareKeyPem(type));
  ASSIGN_OR_RETURN(std::unique_ptr<ca::Authority> authority, MakeAuthority(pem));
  ASSIGN_OR_RETURN(ca::Subject subject,
                   ca::Subject::Create("alice@contoso.example", "id-1", "S-1-5-21-1-2-3-1105"));
  IssuingRoot root(std::move(authority), std::move(subject));
  root.signing_ = MakeSigning(type, pem);
  if (root.signing_ == nullptr) {
    return Error(ErrorReason::kInternalError, "key", DrainOpensslErrors());
  }
  ASSIGN_OR_RETURN(root.digest_, hsm::Digest(type, "any message"));
  return root;
}

absl::Status IssuingRoot::Issue(const PooledRequest& request) const {
  ASSIGN_OR_RETURN(const ca::RequestedKey key,
                   ca::ParseCertificateRequest(request.der, ca::KeyPolicy()));
  ASSIGN_OR_RETURN(ca::TbsCertificate tbs,
                   authority_->Prepare({subject_, key, std::string(ca::kSerialSize, 'r'), kNow}));
  return authority_->Sign(std::move(tbs)).status();
}

absl::Status IssuingRoot::SignBarely() const {
  unsigned char signature[512];
  std::size_t size = sizeof(signature);
  if (EVP_PKEY_sign(signing_.get(), signature, &size, Octets(digest_), digest_.size()) == 1) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kInternalError, "signature", DrainOpensslErrors());
}

}  // namespace hourglass::bench
