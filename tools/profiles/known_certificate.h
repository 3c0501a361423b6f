// Certificates that administrators give: whose they are in a chain, and which may be trusted.
#ifndef HOURGLASS_TOOLS_PROFILES_KNOWN_CERTIFICATE_H_
#define HOURGLASS_TOOLS_PROFILES_KNOWN_CERTIFICATE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace hourglass::profiles {

enum class ChainPlace {
  kRoot,          // self-signed, and it may be an authority
  kIntermediate,  // an authority that another one signed
  kLeaf,          // no authority, whoever signed it
};

struct KnownCertificate {
  ChainPlace place = ChainPlace::kLeaf;
  bool is_self_signed = false;
  std::string subject;  // RFC 4514 text
  std::string issuer;
  std::string sha1_thumbprint;  // 40 upper-case hexadecimal digits
  std::string public_key;       // SubjectPublicKeyInfo, DER
  // dNSName of subjectAltName as they are; the common name where there are none.
  std::vector<std::string> names;
  // OIDs of extendedKeyUsage, dotted; empty where there is none, which allows all.
  std::vector<std::string> purposes;
  absl::Time not_before;
  absl::Time not_after;
};

// All certificates of a file, PEM or one in DER. Errors: FIELD_INVALID with `field`, also where
// there is none.
absl::StatusOr<std::vector<KnownCertificate>> ReadCertificates(absl::string_view octets,
                                                               absl::string_view field);

// Whether `certificate` may be TrustedRootCA at `now`: a root that is valid, and none of the
// tenant's, told by its thumbprint or its key. Errors: FIELD_INVALID with field `--server-root`,
// and why it cannot be.
absl::Status CheckServerRoot(const KnownCertificate& certificate,
                             absl::Span<const KnownCertificate> tenant_roots, absl::Time now);

// Whether it may be the issuer of certificates for Kerberos: an authority, and none of the
// tenant's. Errors: FIELD_INVALID with field `--sso-issuer`.
absl::Status CheckSsoIssuer(const KnownCertificate& certificate,
                            absl::Span<const KnownCertificate> tenant_roots);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_KNOWN_CERTIFICATE_H_
