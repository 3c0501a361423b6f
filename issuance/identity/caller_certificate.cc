#include "issuance/identity/caller_certificate.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "hsm/base/error.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

using GeneralNamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr std::size_t kMaxNameForLog = 256;

absl::Status Unknown(absl::string_view message) {
  return Error(ErrorReason::kCallerUnknown, "", message);
}

// The text of a dNSName or URI; nullopt where it holds what such names never do.
std::optional<std::string> NameText(const ASN1_IA5STRING* string) {
  const absl::string_view text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
                               static_cast<std::size_t>(ASN1_STRING_length(string)));
  if (!std::all_of(text.begin(), text.end(), absl::ascii_isgraph)) return std::nullopt;
  return std::string(text);
}

absl::StatusOr<std::vector<std::string>> IdentitiesOf(const X509& certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest, &size) != 1) {
    DrainOpensslErrors();
    return Unknown("the client certificate cannot be hashed");
  }
  std::vector<std::string> identities = {absl::StrCat(
      "sha256:", absl::BytesToHexString({reinterpret_cast<const char*>(digest), size}))};

  int found = 0;
  const GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, &found, nullptr)));
  if (names == nullptr && found != -1) {
    DrainOpensslErrors();
    return Unknown("the client certificate's subject alternative names cannot be read");
  }
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_URI) continue;
    const auto text = NameText(name->d.ia5);
    if (!text.has_value()) return Unknown("the client certificate has a malformed name");
    identities.push_back(name->type == GEN_DNS ? absl::StrCat("dns:", absl::AsciiStrToLower(*text))
                                               : absl::StrCat("uri:", *text));
  }
  return identities;
}

absl::StatusOr<Timestamp> ReadTime(const ASN1_TIME* time) {
  tm utc = {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) {
    DrainOpensslErrors();
    return Unknown("the client certificate's period cannot be read");
  }
  return Timestamp(std::chrono::seconds(timegm(&utc)));
}

}  // namespace

absl::StatusOr<CertificateSerial> ReadCertificateSerial(const X509& certificate) {
  CertificateSerial serial;
  X509_NAME* const issuer = X509_NAME_dup(X509_get_issuer_name(&certificate));
  unsigned char* number = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(&certificate), &number);
  serial.issuer = std::shared_ptr<const X509_NAME>(
      issuer, [](const X509_NAME* name) { X509_NAME_free(const_cast<X509_NAME*>(name)); });
  if (size > 0) {
    serial.number.assign(reinterpret_cast<const char*>(number), static_cast<std::size_t>(size));
    OPENSSL_free(number);
  }
  if (issuer == nullptr || size <= 0) {
    DrainOpensslErrors();
    return Unknown("the client certificate's issuer and serial number cannot be read");
  }
  return serial;
}

absl::StatusOr<CallerCertificate> ReadCallerCertificate(const X509& certificate) {
  CallerCertificate read;
  ASSIGN_OR_RETURN(read.identities, IdentitiesOf(certificate));
  ASSIGN_OR_RETURN(read.not_before, ReadTime(X509_get0_notBefore(&certificate)));
  ASSIGN_OR_RETURN(read.not_after, ReadTime(X509_get0_notAfter(&certificate)));
  ASSIGN_OR_RETURN(read.serial, ReadCertificateSerial(certificate));
  return read;
}

absl::StatusOr<CallerCertificate> ReadCallerCertificate(absl::string_view pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const X509Ptr certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)
                                : nullptr);
  if (certificate == nullptr) {
    DrainOpensslErrors();
    return Unknown("the client certificate cannot be read");
  }
  return ReadCallerCertificate(*certificate);
}

std::string NameForLog(const CallerCertificate& certificate) {
  const std::vector<std::string>& identities = certificate.identities;
  if (identities.size() < 2) return std::string(certificate.sha256());
  return absl::StrJoin(identities.begin() + 1, identities.end(), " ").substr(0, kMaxNameForLog);
}

absl::Status CheckPeriod(const CallerCertificate& certificate, Timestamp now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  if (second < certificate.not_before) {
    return Error(
        ErrorReason::kCallerCertificateExpired, "",
        absl::StrCat("the client certificate is valid from ", TimeText(certificate.not_before)));
  }
  if (second > certificate.not_after) {
    return Error(
        ErrorReason::kCallerCertificateExpired, "",
        absl::StrCat("the client certificate was valid until ", TimeText(certificate.not_after)));
  }
  return absl::OkStatus();
}

std::string TimeText(Timestamp time) {
  return absl::FormatTime(
      "%Y-%m-%dT%H:%M:%SZ",
      absl::FromUnixSeconds(
          std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count()),
      absl::UTCTimeZone());
}

}  // namespace hourglass::issuance
