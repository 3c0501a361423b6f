// The leaf of one issuer and profile as octets with gaps.
#ifndef HOURGLASS_CA_CERTIFICATE_CERTIFICATE_TEMPLATE_H_
#define HOURGLASS_CA_CERTIFICATE_CERTIFICATE_TEMPLATE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "ca/certificate/issuer_certificate.h"
#include "ca/certificate/profile.h"
#include "ca/encoding/time.h"

namespace hourglass::ca {

// What goes into the gaps. Everything is checked by those who own it (Subject, RequestedKey,
// Authority); the template only encodes.
struct LeafFields {
  absl::string_view serial_number;            // 16 octets, positive and minimal as an INTEGER
  Time not_before;                            // encodable
  Time not_after;                             // encodable
  absl::string_view common_name;              // UTF-8, 1 to 64 characters
  absl::string_view upn;                      // UTF-8
  absl::string_view sid;                      // ASCII; empty: the leaf has none
  absl::string_view subject_public_key_info;  // DER
  absl::string_view key_identifier;           // 20 octets
};

// Immutable; safe to call from several threads.
class CertificateTemplate {
 public:
  static CertificateTemplate Compile(const IssuerCertificate& issuer, const LeafProfile& profile);

  // TBSCertificate, DER, version 3, the issuer's algorithm, name and key
  // identifier, one common name, and the extensions basicConstraints, keyUsage, extendedKeyUsage,
  // subjectAltName, subjectKeyIdentifier, authorityKeyIdentifier, noRevAvail (where the profile has
  // it) and SID (where the subject has one), in this order. Allocates once.
  std::string Fill(const LeafFields& fields) const;

 private:
  CertificateTemplate() = default;

  std::string before_validity_;           // signature algorithm, issuer
  std::string before_alternative_names_;  // the extensions in front of subjectAltName
  std::string after_key_identifier_;      // those behind subjectKeyIdentifier that every leaf has
  bool sid_uri_ = false;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_CERTIFICATE_CERTIFICATE_TEMPLATE_H_
