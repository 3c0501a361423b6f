// Whether a leaf is what its profile and RFC 5280 say, judged rule by rule by our own reader.
#ifndef HOURGLASS_CA_LINT_LINT_H_
#define HOURGLASS_CA_LINT_LINT_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/certificate/certificate.h"
#include "ca/certificate/certificate_template.h"
#include "ca/certificate/issuer_certificate.h"
#include "ca/certificate/profile.h"
#include "ca/lint/lint_finding.h"

namespace hourglass::ca {

// A certificate and all that it was made from.
struct LeafSpecimen {
  absl::string_view certificate;  // DER
  const IssuerCertificate& issuer;
  const LeafProfile& profile;
  const LeafFields& fields;
};

struct LintRule {
  absl::string_view name;    // `serial_number_positive`
  absl::string_view source;  // document and section
  bool (*holds)(const CertificateView& leaf, const LeafSpecimen& specimen);
};

// Octets that are not a certificate in DER break this rule and are not looked at by the others.
inline constexpr LintFinding kNotACertificate = {"certificate_is_der", "RFC 5280 section 4.1"};

// Every other rule. Each looks at its own field only, so that one fault breaks one rule.
absl::Span<const LintRule> LeafRules();

// The rules that the specimen breaks, in the order of LeafRules.
std::vector<LintFinding> LintLeaf(const LeafSpecimen& specimen);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_LINT_LINT_H_
