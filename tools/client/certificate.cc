#include "tools/client/certificate.h"

#include <openssl/x509v3.h>

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/pem.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"

namespace hourglass::client {
namespace {

using PurposesPtr = OpensslPtr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

absl::Status Unreadable(absl::string_view what) {
  return Error(ErrorReason::kFieldInvalid, "certificate",
               absl::StrCat(what, ": ", DrainOpensslErrors()));
}

std::string TakeText(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);  // NOLINT(google-runtime-int): OpenSSL's own type
  return std::string(data, size > 0 ? static_cast<std::size_t>(size) : 0);
}

std::string NameInWords(const X509_NAME* name) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  // Characters beyond ASCII stay UTF-8 instead of becoming escapes.
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return TakeText(bio.get());
}

absl::StatusOr<absl::Time> TimeOf(const ASN1_TIME* time) {
  tm parts = {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return Unreadable("unreadable time");
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string PurposeInWords(const ASN1_OBJECT* purpose) {
  char dotted[128];
  OBJ_obj2txt(dotted, sizeof(dotted), purpose, 1);
  if (absl::string_view(dotted) == "1.3.6.1.5.5.7.3.2") return "client authentication";
  if (absl::string_view(dotted) == "1.3.6.1.4.1.311.87") return "conditional access";
  return dotted;
}

std::string Thumbprint(const X509* certificate, const EVP_MD* digest) {
  unsigned char octets[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(certificate, digest, octets, &size) != 1) return "";
  return absl::AsciiStrToUpper(
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(octets), size)));
}

std::string KeyInWords(const EVP_PKEY& key) {
  const auto type = hsm::KeyTypeOf(key);
  if (type.ok()) return std::string(hsm::KeyTypeName(*type));
  const char* name = EVP_PKEY_get0_type_name(&key);
  return absl::StrCat(name == nullptr ? "key" : name, " of ", EVP_PKEY_get_bits(&key), " bits");
}

std::string SerialNumberOf(const X509* certificate) {
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate);
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(serial)),
                     static_cast<std::size_t>(ASN1_STRING_length(serial)));
}

}  // namespace

absl::StatusOr<CertificateFacts> ReadCertificate(absl::string_view der) {
  const auto* next = reinterpret_cast<const unsigned char*>(der.data());
  const X509Ptr certificate(d2i_X509(nullptr, &next, static_cast<long>(der.size())));
  if (certificate == nullptr) return Unreadable("not a DER certificate");
  if (next != reinterpret_cast<const unsigned char*>(der.data()) + der.size()) {
    return Error(ErrorReason::kFieldInvalid, "certificate", "octets follow the certificate");
  }
  const EVP_PKEY* key = X509_get0_pubkey(certificate.get());
  if (key == nullptr) return Unreadable("unreadable public key");
  CertificateFacts facts;
  facts.subject = NameInWords(X509_get_subject_name(certificate.get()));
  facts.issuer = NameInWords(X509_get_issuer_name(certificate.get()));
  facts.serial_number = SerialNumberOf(certificate.get());
  ASSIGN_OR_RETURN(facts.not_before, TimeOf(X509_get0_notBefore(certificate.get())));
  ASSIGN_OR_RETURN(facts.not_after, TimeOf(X509_get0_notAfter(certificate.get())));
  facts.key = KeyInWords(*key);
  ASSIGN_OR_RETURN(facts.public_key, hsm::EncodePublicKey(*key));
  facts.is_ca = X509_check_ca(certificate.get()) == 1;
  const PurposesPtr purposes(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(certificate.get(), NID_ext_key_usage, nullptr, nullptr)));
  for (int i = 0; purposes != nullptr && i < sk_ASN1_OBJECT_num(purposes.get()); ++i) {
    facts.purposes.push_back(PurposeInWords(sk_ASN1_OBJECT_value(purposes.get(), i)));
  }
  facts.sha1_thumbprint = Thumbprint(certificate.get(), EVP_sha1());
  facts.sha256_thumbprint = Thumbprint(certificate.get(), EVP_sha256());
  return facts;
}

std::string PemOfCertificate(absl::string_view der) {
  return ca::EncodePem(ca::kCertificateLabel, der);
}

absl::StatusOr<std::string> FirstCertificateInPem(absl::string_view pem) {
  std::optional<std::string> der = ca::DecodePem(pem, {ca::kCertificateLabel, "X509 CERTIFICATE"});
  if (der.has_value()) return *std::move(der);
  return Error(ErrorReason::kFieldInvalid, "certificate", "no PEM certificate");
}

}  // namespace hourglass::client
