// Whether an intermediate is what its profile and RFC 5280 say, judged rule by rule by our own
// reader, and once more by Botan's.
#ifndef HOURGLASS_CA_ISSUERS_INTERMEDIATE_LINT_H_
#define HOURGLASS_CA_ISSUERS_INTERMEDIATE_LINT_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/certificate/certificate.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_certificate.h"
#include "ca/lint/lint_finding.h"

namespace hourglass::ca {

struct IntermediateRule {
  absl::string_view name;    // `key_usage`
  absl::string_view source;  // document and section
  bool (*holds)(const CertificateView& intermediate, const RootCertificate& root);
};

// Each looks at its own field only, so that one fault breaks one rule.
absl::Span<const IntermediateRule> IntermediateRules();

// The rules that the certificate, DER, breaks as an intermediate under `root`, in the order of
// IntermediateRules; `certificate_is_der`, alone, for octets that are none. Signatures are not
// looked at: what is linted may have none yet.
std::vector<LintFinding> LintIntermediate(absl::string_view certificate,
                                          const RootCertificate& root);

// What an intermediate was made from.
struct ExpectedIntermediate {
  absl::string_view certificate;  // DER; the signature is not looked at
  const RootCertificate& root;
  absl::string_view common_name;
  absl::string_view serial_number;  // 16 octets
  Time not_before;
  Time not_after;
  absl::string_view public_key;      // SubjectPublicKeyInfo, DER
  absl::string_view key_identifier;  // 20 octets
};

// The rules, all named `botan_…`, where Botan reads something else than was meant; `botan_parses`,
// alone, where it refuses to read at all.
std::vector<LintFinding> LintIntermediateWithBotan(const ExpectedIntermediate& expected);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ISSUERS_INTERMEDIATE_LINT_H_
