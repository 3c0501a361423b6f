// What a lint has to say.
#ifndef HOURGLASS_CA_LINT_LINT_FINDING_H_
#define HOURGLASS_CA_LINT_LINT_FINDING_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

// A broken rule. Both texts live as long as the process.
struct LintFinding {
  absl::string_view rule;    // `serial_number_positive`
  absl::string_view source;  // document and section
};

// `serial_number_positive (RFC 5280 section 4.1.2.2), …`
std::string FormatFindings(const std::vector<LintFinding>& findings);

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_LINT_LINT_FINDING_H_
