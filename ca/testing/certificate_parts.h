// A certificate in parts that a test can put out of shape one by one.
#ifndef HOURGLASS_CA_TESTING_CERTIFICATE_PARTS_H_
#define HOURGLASS_CA_TESTING_CERTIFICATE_PARTS_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/der.h"

namespace hourglass::ca {

struct WrittenExtension {
  std::string oid;
  std::string critical;  // the BOOLEAN as it is written, or nothing
  std::string value;
};

// DER throughout, whole elements but for the serial number, which is content.
struct CertificateParts {
  std::string version, serial_number, signed_algorithm, issuer, not_before, not_after, subject, key;
  std::string unique_identifiers;
  std::vector<WrittenExtension> extensions;
  std::string algorithm;

  WrittenExtension& operator[](absl::string_view oid) {
    for (WrittenExtension& extension : extensions) {
      if (extension.oid == oid) return extension;
    }
    ADD_FAILURE() << "no such extension";
    return extensions.front();
  }

  void Remove(absl::string_view oid) {
    std::erase_if(extensions,
                  [oid](const WrittenExtension& extension) { return extension.oid == oid; });
  }

  std::string Assemble() const {
    std::string list;
    for (const WrittenExtension& extension : extensions) {
      der::Append(der::kSequence,
                  absl::StrCat(der::Encode(der::kOid, {extension.oid}), extension.critical,
                               der::Encode(der::kOctetString, {extension.value})),
                  &list);
    }
    const std::string tbs = der::Encode(
        der::kSequence,
        {version, der::Encode(der::kInteger, {serial_number}), signed_algorithm, issuer,
         der::Encode(der::kSequence, {not_before, not_after}), subject, key, unique_identifiers,
         der::Encode(der::Constructed(3), {der::Encode(der::kSequence, {list})})});
    return der::Encode(der::kSequence, {tbs, algorithm, absl::HexStringToBytes("030200ab")});
  }
};

inline CertificateParts TakeApart(absl::string_view certificate) {
  const CertificateView view = *ReadCertificate(certificate);
  CertificateParts parts{.version = absl::HexStringToBytes("a003020102"),
                         .serial_number = std::string(view.serial_number),
                         .signed_algorithm = std::string(view.signed_algorithm),
                         .issuer = std::string(view.issuer),
                         .not_before = std::string(view.not_before),
                         .not_after = std::string(view.not_after),
                         .subject = std::string(view.subject),
                         .key = std::string(view.subject_public_key_info),
                         .unique_identifiers = "",
                         .extensions = {},
                         .algorithm = std::string(view.algorithm)};
  for (const ExtensionView& extension : view.extensions) {
    parts.extensions.push_back({std::string(extension.oid),
                                extension.critical ? absl::HexStringToBytes("0101ff") : "",
                                std::string(extension.value)});
  }
  return parts;
}

// Name of one attribute of this type, UTF8String.
inline std::string Utf8Name(absl::string_view oid, absl::string_view text) {
  return der::Encode(
      der::kSequence,
      {der::Encode(der::kSet,
                   {der::Encode(der::kSequence, {der::Encode(der::kOid, {oid}),
                                                 der::Encode(der::kUtf8String, {text})})})});
}

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_CERTIFICATE_PARTS_H_
