#include "tools/doctor/radius/canary.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "tools/doctor/object_identifier.h"

namespace hourglass::doctor {
namespace {

constexpr char kUpnOid[] = "1.3.6.1.4.1.311.20.2.3";
constexpr std::int64_t kHour = 3600;  // seconds

using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;
using PurposesPtr = OpensslPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

absl::Status Invalid(absl::string_view field, absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, field, message);
}

BioPtr Reader(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<X509Ptr> ReadCertificate(const std::string& pem) {
  X509Ptr certificate(PEM_read_bio_X509(Reader(pem).get(), nullptr, nullptr, nullptr));
  if (certificate != nullptr) return certificate;
  DrainOpensslErrors();
  return Invalid("certificate", "it holds no certificate in PEM");
}

absl::StatusOr<EvpPkeyPtr> ReadKey(const std::string& pem) {
  // An encrypted one would be asked for its password on the terminal.
  const auto refuse = [](char*, int, int, void*) { return -1; };
  EvpPkeyPtr key(PEM_read_bio_PrivateKey(Reader(pem).get(), nullptr, refuse, nullptr));
  if (key != nullptr) return key;
  DrainOpensslErrors();
  return Invalid("key", "it holds no private key in PEM that is not encrypted");
}

std::string DottedOf(const ASN1_OBJECT* object) {
  char text[128];
  const int size = OBJ_obj2txt(text, sizeof(text), object, /*no_name=*/1);
  return size > 0 && size < static_cast<int>(sizeof(text)) ? std::string(text) : "";
}

std::string UpnOf(const X509* certificate) {
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_OTHERNAME || DottedOf(name->d.otherName->type_id) != kUpnOid) continue;
    const ASN1_TYPE* const value = name->d.otherName->value;
    if (value->type != V_ASN1_UTF8STRING) continue;
    return std::string(reinterpret_cast<const char*>(value->value.utf8string->data),
                       static_cast<std::size_t>(value->value.utf8string->length));
  }
  return "";
}

bool HasConditionalAccess(const X509* certificate) {
  const PurposesPtr purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; purposes != nullptr && i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    if (DottedOf(sk_ASN1_OBJECT_value(purposes.get(), i)) == kConditionalAccessOid) return true;
  }
  return false;
}

std::int64_t SecondsOf(const ASN1_TIME* time) {
  const OpensslPtr<ASN1_TIME, ASN1_TIME_free> epoch(ASN1_TIME_set(nullptr, 0));
  int days = 0;
  int seconds = 0;
  if (epoch == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) return 0;
  return static_cast<std::int64_t>(days) * 24 * kHour + seconds;
}

absl::StatusOr<std::string> Pem(const X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  char* text = nullptr;
  if (out == nullptr || PEM_write_bio_X509(out.get(), const_cast<X509*>(certificate)) != 1) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

absl::StatusOr<std::string> Pem(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_secmem()));
  char* text = nullptr;
  if (out == nullptr ||
      PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  const long size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

// Both with fresh serial numbers: a server may remember those that it has seen.
bool SetSerial(X509* certificate) {
  unsigned char octets[16];
  if (RAND_bytes(octets, sizeof(octets)) != 1) return false;
  octets[0] &= 0x7F;
  const BignumPtr number(BN_bin2bn(octets, sizeof(octets), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool SetTimes(X509* certificate, std::int64_t not_before, std::int64_t not_after) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), not_before) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), not_after) != nullptr;
}

bool AddExtension(X509* certificate, int kind, void* value, bool critical) {
  return X509_add1_ext_i2d(certificate, kind, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1;
}

// Self-signed, with the name of the issuer of `leaf` and the key identifier that `leaf` names.
absl::StatusOr<X509Ptr> MakeRoot(const X509* leaf, EVP_PKEY* key, std::int64_t now) {
  X509Ptr root(X509_new());
  const OpensslPtr<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints(BASIC_CONSTRAINTS_new());
  if (root == nullptr || constraints == nullptr) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  constraints->ca = 0xFF;
  bool made = X509_set_version(root.get(), X509_VERSION_3) == 1 && SetSerial(root.get()) &&
              SetTimes(root.get(), now - 24 * kHour, now + 24 * kHour) &&
              X509_set_subject_name(root.get(), X509_get_issuer_name(leaf)) == 1 &&
              X509_set_issuer_name(root.get(), X509_get_issuer_name(leaf)) == 1 &&
              X509_set_pubkey(root.get(), key) == 1 &&
              AddExtension(root.get(), NID_basic_constraints, constraints.get(), true);
  const OpensslPtr<AUTHORITY_KEYID, AUTHORITY_KEYID_free> authority(static_cast<AUTHORITY_KEYID*>(
      X509_get_ext_d2i(leaf, NID_authority_key_identifier, nullptr, nullptr)));
  if (authority != nullptr && authority->keyid != nullptr) {
    made = made && AddExtension(root.get(), NID_subject_key_identifier, authority->keyid, false);
  }
  if (!made || X509_sign(root.get(), key, EVP_sha256()) == 0) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  return root;
}

}  // namespace

absl::StatusOr<CredentialFacts> ReadCredential(const Credential& credential) {
  ASSIGN_OR_RETURN(const X509Ptr certificate, ReadCertificate(credential.certificate_pem));
  ASSIGN_OR_RETURN(const EvpPkeyPtr key, ReadKey(credential.private_key_pem));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    DrainOpensslErrors();
    return Error(ErrorReason::kKeyMismatch, "key", "it is not the key of the certificate");
  }
  CredentialFacts facts;
  facts.upn = UpnOf(certificate.get());
  facts.not_before = SecondsOf(X509_get0_notBefore(certificate.get()));
  facts.not_after = SecondsOf(X509_get0_notAfter(certificate.get()));
  facts.has_conditional_access = HasConditionalAccess(certificate.get());
  return facts;
}

absl::StatusOr<Credential> Forge(const Credential& credential, Forgery forgery, std::int64_t now) {
  ASSIGN_OR_RETURN(const X509Ptr original, ReadCertificate(credential.certificate_pem));
  const EvpPkeyPtr root_key(EVP_EC_gen("P-256"));
  const EvpPkeyPtr key(EVP_EC_gen("P-256"));
  const X509Ptr forged(X509_dup(original.get()));
  if (root_key == nullptr || key == nullptr || forged == nullptr) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  ASSIGN_OR_RETURN(const X509Ptr root, MakeRoot(original.get(), root_key.get(), now));
  const bool expired = forgery == Forgery::kExpired;
  if (!SetSerial(forged.get()) ||
      !SetTimes(forged.get(), now - (expired ? 2 * kHour : 300),
                now + (expired ? -kHour : kHour)) ||
      X509_set_pubkey(forged.get(), key.get()) != 1 ||
      X509_sign(forged.get(), root_key.get(), EVP_sha256()) == 0) {
    return Error(ErrorReason::kInternalError, "", DrainOpensslErrors());
  }
  Credential made;
  ASSIGN_OR_RETURN(const std::string own_pem, Pem(forged.get()));
  ASSIGN_OR_RETURN(const std::string root_pem, Pem(root.get()));
  ASSIGN_OR_RETURN(made.private_key_pem, Pem(key.get()));
  made.certificate_pem = own_pem + root_pem;
  return made;
}

}  // namespace hourglass::doctor
