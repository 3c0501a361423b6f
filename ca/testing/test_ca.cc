#include "ca/testing/test_ca.h"

#include <openssl/pem.h>
#include <openssl/rand.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <utility>

#include "ca/encoding/pem.h"
#include "ca/issuers/intermediate_certificate.h"
#include "ca/names/name.h"
#include "ca/request/certificate_request.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/software_key.h"

namespace hourglass::ca {
namespace {

constexpr std::chrono::seconds kRootDuration = std::chrono::days(365);

template <typename T>
T ValueOrDie(absl::StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "TestCa: %s\n", result.status().ToString().c_str());
    std::abort();
  }
  return *std::move(result);
}

std::string RandomOctets(std::size_t count) {
  std::string octets(count, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(octets.data()), static_cast<int>(count)) != 1) {
    std::fprintf(stderr, "TestCa: no random numbers\n");
    std::abort();
  }
  return octets;
}

absl::StatusOr<EvpPkeyPtr> ReadPrivateKey(absl::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A callback that gives no password keeps OpenSSL from asking at the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (key != nullptr) return key;
  DrainOpensslErrors();
  return Error(ErrorReason::kFieldInvalid, "private_key_pem", "is not an unencrypted PKCS#8 key");
}

// A PKCS#10 request, DER, with an empty subject: the CA decides every name.
absl::StatusOr<std::string> MakeRequest(EVP_PKEY* key) {
  const X509ReqPtr request(X509_REQ_new());
  unsigned char* der = nullptr;
  int size = -1;
  if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
      X509_REQ_set_pubkey(request.get(), key) == 1 &&
      X509_REQ_sign(request.get(), key, EVP_sha256()) > 0) {
    size = i2d_X509_REQ(request.get(), &der);
  }
  const std::string octets(reinterpret_cast<const char*>(der),
                           static_cast<std::size_t>(size < 0 ? 0 : size));
  OPENSSL_free(der);
  if (size >= 0) return octets;
  DrainOpensslErrors();
  return Error(ErrorReason::kFieldInvalid, "private_key_pem", "cannot sign a request");
}

std::unique_ptr<Authority> UnderSubKey(const Authority& root, hsm::KeyType key_type,
                                       const TestCaOptions& options) {
  std::unique_ptr<hsm::SigningKey> key = ValueOrDie(hsm::GenerateSoftwareKey(key_type));
  IntermediateSpecification specification;
  specification.display_name = options.display_name;
  specification.now = options.now;
  specification.lifetime = std::chrono::hours(24);
  specification.serial_entropy = RandomOctets(kSerialSize);
  TbsIntermediate tbs = ValueOrDie(root.PrepareIntermediate(specification, key->public_key()));
  const IntermediateCertificate intermediate = ValueOrDie(root.SignIntermediate(std::move(tbs)));
  return ValueOrDie(
      Authority::CreateForSubKey(root.root(), intermediate, std::move(key), root.profile()));
}

std::unique_ptr<Authority> MakeAuthority(const TestCaOptions& options) {
  std::unique_ptr<hsm::SigningKey> key =
      ValueOrDie(hsm::GenerateSoftwareKey(options.root_key_type));
  RootSpecification specification;
  specification.display_name = options.display_name;
  specification.now = options.now;
  specification.duration = kRootDuration;
  specification.serial_entropy = RandomOctets(kSerialSize);
  specification.issuing_sub_keys = options.sub_key_type.has_value();
  RootCertificate root = ValueOrDie(IssueRoot(specification, *key));
  const LeafProfile profile = ValueOrDie(LeafProfile::Create(options.profile));
  auto authority = ValueOrDie(Authority::Create(std::move(root), std::move(key), profile));
  if (!options.sub_key_type.has_value()) return authority;
  return UnderSubKey(*authority, *options.sub_key_type, options);
}

}  // namespace

TestCa::TestCa(const TestCaOptions& options)
    : now_(options.now),
      authority_(MakeAuthority(options)),
      root_pem_(EncodePem(kCertificateLabel, root().der())),
      intermediate_pem_(authority_->intermediate() == nullptr
                            ? ""
                            : EncodePem(kCertificateLabel, authority_->intermediate()->der())) {}

TestCertificate TestCa::Issue(absl::string_view upn, hsm::KeyType key_type) {
  std::string private_key_pem = ValueOrDie(hsm::GenerateSoftwareKeyPem(key_type));
  TestCertificate issued = ValueOrDie(IssueForPrivateKey(upn, private_key_pem));
  issued.private_key_pem = std::move(private_key_pem);
  return issued;
}

absl::StatusOr<TestCertificate> TestCa::IssueForRequest(absl::string_view upn,
                                                        absl::string_view pkcs10,
                                                        absl::string_view user_id,
                                                        absl::string_view sid) {
  const std::optional<std::string> decoded = DecodePem(pkcs10, {kRequestLabel, kOldRequestLabel});
  ASSIGN_OR_RETURN(const RequestedKey key,
                   ParseCertificateRequest(decoded.has_value() ? *decoded : pkcs10, KeyPolicy()));
  ASSIGN_OR_RETURN(const Subject subject, Subject::Create(upn, user_id, sid));
  ASSIGN_OR_RETURN(TbsCertificate tbs,
                   authority_->Prepare({subject, key, RandomOctets(kSerialSize), now_}));
  TestCertificate issued;
  issued.serial_number = tbs.serial_number();
  ASSIGN_OR_RETURN(issued.certificate_der, authority_->Sign(std::move(tbs)));
  issued.certificate_pem = EncodePem(kCertificateLabel, issued.certificate_der);
  return issued;
}

absl::StatusOr<TestCertificate> TestCa::IssueForPrivateKey(absl::string_view upn,
                                                           absl::string_view private_key_pem) {
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, ReadPrivateKey(private_key_pem));
  ASSIGN_OR_RETURN(const std::string request, MakeRequest(key.get()));
  return IssueForRequest(upn, request);
}

}  // namespace hourglass::ca
