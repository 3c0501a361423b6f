#include "ca/testing/refused_certificates.h"

#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "ca/encoding/pem.h"
#include "hsm/base/openssl.h"
#include "hsm/key/software_key.h"

namespace hourglass::ca {
namespace {

constexpr char kClientAuthOid[] = "1.3.6.1.5.5.7.3.2";
constexpr char kConditionalAccessOid[] = "1.3.6.1.4.1.311.87";

using ExtensionPtr = OpensslPtr<X509_EXTENSION, X509_EXTENSION_free>;
using PoliciesPtr = OpensslPtr<CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free>;
using TimePtr = OpensslPtr<ASN1_TIME, ASN1_TIME_free>;

void Must(bool succeeded, const char* what) {
  if (succeeded) return;
  std::fprintf(stderr, "IssueFlawed: %s: %s\n", what, DrainOpensslErrors().c_str());
  std::abort();
}

void Must(const absl::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "IssueFlawed: %s: %s\n", what, status.ToString().c_str());
  std::abort();
}

EvpPkeyPtr ReadKey(absl::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  Must(key != nullptr, "a private key cannot be read");
  return key;
}

EvpPkeyPtr NewKey(hsm::KeyType type) {
  const auto pem = hsm::GenerateSoftwareKeyPem(type);
  Must(pem.status(), "a key cannot be made");
  return ReadKey(*pem);
}

X509Ptr ParseX509(absl::string_view der) {
  const auto* octets = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr certificate(d2i_X509(nullptr, &octets, static_cast<long>(der.size())));
  Must(certificate != nullptr, "a certificate cannot be read");
  return certificate;
}

// As ECDSA and RSA of the real ones do.
const EVP_MD* DigestFor(hsm::KeyType type) {
  return type == hsm::KeyType::kEcP384 ? EVP_sha384() : EVP_sha256();
}

// None for no extendedKeyUsage.
void SetPurposes(X509* certificate, std::initializer_list<const char*> oids) {
  const int place = X509_get_ext_by_NID(certificate, NID_ext_key_usage, -1);
  Must(place >= 0, "there are no purposes");
  X509_EXTENSION_free(X509_delete_ext(certificate, place));
  if (oids.size() == 0) return;
  std::string value;
  for (const char* oid : oids) value += (value.empty() ? "" : ",") + std::string(oid);
  const ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_ext_key_usage, value.c_str()));
  Must(extension != nullptr && X509_add_ext(certificate, extension.get(), place) == 1,
       "purposes cannot be set");
}

void AddPolicy(X509* certificate, const char* oid) {
  const PoliciesPtr policies(sk_POLICYINFO_new_null());
  POLICYINFO* policy = POLICYINFO_new();
  Must(policies != nullptr && policy != nullptr && sk_POLICYINFO_push(policies.get(), policy) > 0,
       "there is no memory for a policy");
  policy->policyid = OBJ_txt2obj(oid, 1);
  Must(X509_add1_ext_i2d(certificate, NID_certificate_policies, policies.get(), 0,
                         X509V3_ADD_DEFAULT) == 1,
       "a policy cannot be added");
}

// Further from now on than any tolerance of clocks: a day and more.
void Shift(X509* certificate, std::chrono::sys_seconds now, std::chrono::hours begin,
           std::chrono::hours end) {
  const auto at = [now](std::chrono::hours from_now) {
    return TimePtr(
        ASN1_TIME_set(nullptr, static_cast<time_t>((now + from_now).time_since_epoch().count())));
  };
  Must(X509_set1_notBefore(certificate, at(begin).get()) == 1 &&
           X509_set1_notAfter(certificate, at(end).get()) == 1,
       "a validity cannot be set");
}

// What the certificate is signed with, and which certificates are above it.
struct Signer {
  std::string key_pem;
  hsm::KeyType key_type;
  std::string intermediate_pem;
};

Signer SignerOf(const TestCa& ca, int generation) {
  return {ca.issuing_key_pem(generation), ca.authority(generation).issuer().key_type(),
          ca.intermediate_pem(generation)};
}

// Names the issuer of that CA's root as its own.
void PutUnder(X509* certificate, const TestCa& ca, int generation) {
  const X509Ptr issuer = ParseX509(ca.authority(generation).issuer().der());
  Must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer.get())) == 1,
       "an issuer cannot be set");
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.get(), certificate, nullptr, nullptr, 0);
  const int place = X509_get_ext_by_NID(certificate, NID_authority_key_identifier, -1);
  const ExtensionPtr extension(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  Must(place >= 0 && extension != nullptr, "a key identifier cannot be set");
  X509_EXTENSION_free(X509_delete_ext(certificate, place));
  Must(X509_add_ext(certificate, extension.get(), place) == 1, "a key identifier cannot be set");
}

// A CA of the same options and time, and of another name.
TestCa AnotherCa(const TestCa& ca) {
  TestCaOptions options = ca.options();
  options.now = ca.now();
  options.display_name = "Fabrikam";
  if (options.display_name == ca.options().display_name) options.display_name = "Contoso";
  if (!options.seed.empty()) options.seed += " of another";
  return TestCa(options);
}

int RetiredRoot(TestCa& ca) {
  for (int generation = ca.generations(); generation >= 1; --generation) {
    if (ca.state(generation) == RootState::kRetired) return generation;
  }
  const int primary = ca.primary();
  const int retired = ca.StageRoot();
  Must(ca.Promote(retired), "a root cannot be promoted");
  Must(ca.Promote(primary), "the primary cannot be promoted again");
  Must(ca.Retire(retired), "a root cannot be retired");
  return retired;
}

void SpoilPurposes(X509* certificate, Flaw flaw) {
  const auto instead = [certificate](const char* oid) {
    SetPurposes(certificate, {kClientAuthOid, oid});
  };
  if (flaw == Flaw::kNoPurposes) SetPurposes(certificate, {});
  if (flaw == Flaw::kAnyPurpose) SetPurposes(certificate, {"2.5.29.37.0"});
  if (flaw == Flaw::kWithoutTheOid) SetPurposes(certificate, {kClientAuthOid});
  if (flaw == Flaw::kOnlyTheOid) SetPurposes(certificate, {kConditionalAccessOid});
  if (flaw == Flaw::kParentOid) instead("1.3.6.1.4.1.311");
  if (flaw == Flaw::kChildOid) instead("1.3.6.1.4.1.311.87.1");
  if (flaw == Flaw::kNeighbourOid) instead("1.3.6.1.4.1.311.88");
  if (flaw == Flaw::kOidWithASplitArc) instead("1.3.6.1.4.1.311.8.7");
  if (flaw == Flaw::kOidThatBeginsAlike) instead("1.3.6.1.4.1.311.870");
  if (flaw == Flaw::kOidInOtherExtension) {
    SetPurposes(certificate, {kClientAuthOid});
    AddPolicy(certificate, kConditionalAccessOid);
  }
}

// Makes the one thing wrong, and says with what the result is to be signed.
Signer Spoil(TestCa& ca, Flaw flaw, X509* certificate) {
  using std::chrono::hours;
  if (flaw == Flaw::kExpired) Shift(certificate, ca.now(), hours(-25), hours(-24));
  if (flaw == Flaw::kNotYetValid) Shift(certificate, ca.now(), hours(24), hours(25));
  SpoilPurposes(certificate, flaw);
  if (flaw == Flaw::kOtherRoot) {
    const TestCa other = AnotherCa(ca);
    PutUnder(certificate, other, other.primary());
    return SignerOf(other, other.primary());
  }
  if (flaw == Flaw::kRetiredRoot) {
    const int retired = RetiredRoot(ca);
    PutUnder(certificate, ca, retired);
    return SignerOf(ca, retired);
  }
  return SignerOf(ca, ca.primary());
}

}  // namespace

absl::string_view Describe(Flaw flaw) {
  switch (flaw) {
    case Flaw::kExpired:
      return "expired";
    case Flaw::kNotYetValid:
      return "not yet valid";
    case Flaw::kOtherRoot:
      return "of another root";
    case Flaw::kRetiredRoot:
      return "of a retired root";
    case Flaw::kForged:
      return "forged under the name of the CA";
    case Flaw::kNoPurposes:
      return "without purposes";
    case Flaw::kAnyPurpose:
      return "for any purpose";
    case Flaw::kWithoutTheOid:
      return "without 1.3.6.1.4.1.311.87";
    case Flaw::kOnlyTheOid:
      return "without clientAuth";
    case Flaw::kParentOid:
      return "for 1.3.6.1.4.1.311";
    case Flaw::kChildOid:
      return "for 1.3.6.1.4.1.311.87.1";
    case Flaw::kNeighbourOid:
      return "for 1.3.6.1.4.1.311.88";
    case Flaw::kOidWithASplitArc:
      return "for 1.3.6.1.4.1.311.8.7";
    case Flaw::kOidThatBeginsAlike:
      return "for 1.3.6.1.4.1.311.870";
    case Flaw::kOidInOtherExtension:
      return "with 1.3.6.1.4.1.311.87 as a policy, not as a purpose";
  }
  return "unknown";
}

int OpensslVerifyResult(Flaw flaw) {
  switch (flaw) {
    case Flaw::kExpired:
      return X509_V_ERR_CERT_HAS_EXPIRED;
    case Flaw::kNotYetValid:
      return X509_V_ERR_CERT_NOT_YET_VALID;
    case Flaw::kOtherRoot:
    case Flaw::kRetiredRoot:
      return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    case Flaw::kForged:
      return X509_V_ERR_CERT_SIGNATURE_FAILURE;
    case Flaw::kOnlyTheOid:
    case Flaw::kAnyPurpose:
      return X509_V_ERR_INVALID_PURPOSE;
    default:
      return X509_V_OK;
  }
}

TestCertificate IssueFlawed(TestCa& ca, Flaw flaw, absl::string_view upn) {
  TestCertificate issued = ca.Issue(upn);
  const X509Ptr certificate = ParseX509(issued.certificate_der);
  const Signer signer = Spoil(ca, flaw, certificate.get());
  const EvpPkeyPtr key = flaw == Flaw::kForged ? NewKey(signer.key_type) : ReadKey(signer.key_pem);
  Must(X509_sign(certificate.get(), key.get(), DigestFor(signer.key_type)) > 0,
       "a certificate cannot be signed");
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate.get(), &der);
  Must(size > 0, "a certificate cannot be encoded");
  issued.certificate_der.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  issued.certificate_pem = EncodePem(kCertificateLabel, issued.certificate_der);
  issued.chain_pem = issued.certificate_pem + signer.intermediate_pem;
  return issued;
}

}  // namespace hourglass::ca
