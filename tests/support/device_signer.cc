#include "tests/support/device_signer.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <atomic>
#include <chrono>
#include <cstdlib>

#include "absl/strings/str_format.h"
#include "ca/encoding/digest.h"
#include "ca/request/certificate_request.h"

namespace hourglass {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

std::string NextNonce() {
  static std::atomic<int> used = 0;
  return absl::StrFormat("%016d", ++used);
}

v1::DeviceProof Marked(const issuance::StatementMark& mark) {
  v1::DeviceProof proof;
  proof.mutable_signed_at()->set_seconds(mark.signed_at.time_since_epoch().count());
  proof.set_nonce(std::string(mark.nonce));
  return proof;
}

}  // namespace

DeviceSigner::DeviceSigner() : key_(EVP_EC_gen("P-256")) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key_.get(), &der);
  Require(size > 0);
  public_key_.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
}

std::string DeviceSigner::Sign(absl::string_view statement) const {
  const EvpMdCtxPtr context(EVP_MD_CTX_new());
  std::string signature(128, '\0');
  std::size_t size = signature.size();
  Require(EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
          EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                         reinterpret_cast<const unsigned char*>(statement.data()),
                         statement.size()) == 1);
  signature.resize(size);
  return signature;
}

v1::DeviceProof DeviceSigner::Prove(const issuance::DeviceQuestion& question,
                                    issuance::Timestamp now) const {
  const std::string nonce = NextNonce();
  const issuance::StatementMark mark = {std::chrono::floor<std::chrono::seconds>(now), nonce};
  v1::DeviceProof proof = Marked(mark);
  proof.set_signature(Sign(StatementOf(question, mark)));
  return proof;
}

v1::DeviceProof DeviceSigner::Enrol(absl::string_view tenant_id, absl::string_view device_id,
                                    issuance::Timestamp now) const {
  const std::string nonce = NextNonce();
  const std::string hash = ca::Sha256(public_key_);
  const issuance::StatementMark mark = {std::chrono::floor<std::chrono::seconds>(now), nonce};
  v1::DeviceProof proof = Marked(mark);
  proof.set_signature(
      Sign(StatementOf(issuance::DeviceEnrolment{tenant_id, device_id, hash}, mark)));
  return proof;
}

v1::DeviceProof DeviceSigner::ProveRequest(const v1::IssueCertificateRequest& request,
                                           issuance::Timestamp now) const {
  const auto key = ca::ParseCertificateRequest(request.pkcs10(), ca::KeyPolicy());
  Require(key.ok());
  return Prove({request.tenant_id(), request.user().id(), request.user().upn(), request.device_id(),
                key->sha256(), request.request_id()},
               now);
}

}  // namespace hourglass
