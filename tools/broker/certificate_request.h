// PKCS#10 requests: made for a new key, or read from a file.
#ifndef HOURGLASS_TOOLS_BROKER_CERTIFICATE_REQUEST_H_
#define HOURGLASS_TOOLS_BROKER_CERTIFICATE_REQUEST_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::broker {

struct CertificateRequest {
  std::string der;         // CertificationRequest (RFC 2986)
  std::string public_key;  // SubjectPublicKeyInfo, DER
};

// A request with an empty name, signed by the key in `private_key_pem` (PKCS#8). Errors:
// FIELD_INVALID with field `key`, INTERNAL_ERROR.
absl::StatusOr<CertificateRequest> MakeCertificateRequest(absl::string_view private_key_pem);

// Reads the one request in the content of a file, in any form of ca::SoleRequest. Only looks
// whether it can be parsed; what it may ask for is the service's to judge. Errors: FIELD_INVALID
// with field `--csr`, and what the file holds instead.
absl::StatusOr<CertificateRequest> ReadCertificateRequest(absl::string_view content);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_CERTIFICATE_REQUEST_H_
