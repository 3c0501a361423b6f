// What a client certificate says that the service goes by.
#ifndef HOURGLASS_ISSUANCE_IDENTITY_CALLER_CERTIFICATE_H_
#define HOURGLASS_ISSUANCE_IDENTITY_CALLER_CERTIFICATE_H_

#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

// What a revocation list names a certificate by (RFC 5280 section 5.1.2.6).
struct CertificateSerial {
  std::shared_ptr<const X509_NAME> issuer;
  std::string number;  // DER
};

// Errors: CALLER_UNKNOWN where it cannot be read.
absl::StatusOr<CertificateSerial> ReadCertificateSerial(const X509& certificate);

struct CallerCertificate {
  // Every text that an identity could be, in the form of ParseIdentity: `sha256:` and the
  // hexadecimal digits first, then each dNSName and URI among the subject alternative names.
  std::vector<std::string> identities;
  // Both are within the period (RFC 5280 section 4.1.2.5).
  Timestamp not_before;
  Timestamp not_after;
  CertificateSerial serial;

  absl::string_view sha256() const { return identities.front(); }
};

// Errors: CALLER_UNKNOWN for what is no certificate, and for names or times that are malformed, a
// name with a control character among them (CVE-2009-2408).
absl::StatusOr<CallerCertificate> ReadCallerCertificate(const X509& certificate);
absl::StatusOr<CallerCertificate> ReadCallerCertificate(absl::string_view pem);

// For the log: the subject alternative names, or the SHA-256 where there is none; at most 256
// octets.
std::string NameForLog(const CallerCertificate& certificate);

// CALLER_CERTIFICATE_EXPIRED outside of its period, before it and after.
absl::Status CheckPeriod(const CallerCertificate& certificate, Timestamp now);

// RFC 3339, UTC, whole seconds.
std::string TimeText(Timestamp time);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_IDENTITY_CALLER_CERTIFICATE_H_
