// What a certificate says, for people and in JSON.
#ifndef HOURGLASS_TOOLS_CLIENT_CERTIFICATE_H_
#define HOURGLASS_TOOLS_CLIENT_CERTIFICATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hourglass::client {

struct CertificateFacts {
  std::string subject;  // RFC 4514 text, UTF-8: `CN=user@contoso.example`
  std::string issuer;
  std::string serial_number;  // content octets of the INTEGER, big-endian, without sign
  absl::Time not_before;      // first and last second of validity
  absl::Time not_after;
  std::string key;  // `ec-p256`, `rsa-2048`, …
  // Of extendedKeyUsage, in words where they are known, else dotted: `client authentication`.
  std::vector<std::string> purposes;
  bool is_ca = false;
  std::string public_key;  // SubjectPublicKeyInfo, DER
  // Upper-case hexadecimal without separators, as Windows shows them.
  std::string sha1_thumbprint;
  std::string sha256_thumbprint;
};

// Reads one DER certificate. Errors: FIELD_INVALID with field `certificate`.
absl::StatusOr<CertificateFacts> ReadCertificate(absl::string_view der);

// RFC 7468 text of one DER certificate, ended by a newline. What is encoded is not looked at.
std::string PemOfCertificate(absl::string_view der);

// The first certificate of a PEM text, DER. Errors: FIELD_INVALID with field `certificate`.
absl::StatusOr<std::string> FirstCertificateInPem(absl::string_view pem);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_CERTIFICATE_H_
