#include "ca/lint/lint_finding.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hourglass::ca {

std::string FormatFindings(const std::vector<LintFinding>& findings) {
  return absl::StrJoin(findings, ", ", [](std::string* out, const LintFinding& finding) {
    absl::StrAppend(out, finding.rule, " (", finding.source, ")");
  });
}

}  // namespace hourglass::ca
