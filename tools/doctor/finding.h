// What a doctor finds in the set-up of a relying party, and how all doctors say it.
#ifndef HOURGLASS_TOOLS_DOCTOR_FINDING_H_
#define HOURGLASS_TOOLS_DOCTOR_FINDING_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::doctor {

enum class Severity {
  kNote,     // cannot be told from what was read, or is good to know; no mistake
  kWarning,  // works, and is fragile, wider than needed or soon wrong
  kError,    // lets in who should stay out, or keeps out who should get in
};

// `note`, `warning`, `error`.
absl::string_view SeverityName(Severity severity);

// Where a finding is.
struct Place {
  std::string file;  // as it was given; may be empty, or a server's `host:port`
  int line = 0;      // from 1; 0 where there is none
  std::string
      item;  // `network policy "Corp VPN"`, `connections.rw.remote.revocation`; may be empty
};

// Text may hold names from the file as they are there, and never a secret: it is made Printable
// where it is printed.
struct Finding {
  std::string id;  // stable, for programs: `nps-no-certificate-oid`
  Severity severity = Severity::kError;
  std::string what;    // what is wrong
  std::string effect;  // what happens because of it
  std::string remedy;  // what is right
  Place place;
};

// Whether one of them is an error or a warning: then a doctor's exit code is 1.
bool HasMistake(absl::Span<const Finding> findings);

// By file, line and item, the graver first where these are the same.
void SortFindings(std::vector<Finding>& findings);

// `ERROR file:line: item: what` for each, and below it, indented, the effect and the remedy; then a
// line that counts them: `2 errors, 1 warning, 0 notes`. Printable, ended by a newline.
std::string FindingsInWords(absl::Span<const Finding> findings);

// [{"id", "severity", "file", "line", "item", "what", "effect", "remedy"}]; members without a value
// are left out.
nlohmann::ordered_json FindingsAsJson(absl::Span<const Finding> findings);

// {"errors", "warnings", "notes", "findings"}: what every doctor answers with `--json`, beside
// members of its own.
nlohmann::ordered_json ReportAsJson(absl::Span<const Finding> findings);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_FINDING_H_
