// Whatever a doctor is given, it ends with findings that say something, have a place in the file,
// and can be printed; and it finds the same again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "ca/encoding/utf8.h"
#include "tools/doctor/config_check.h"
#include "tools/doctor/finding.h"
#include "tools/doctor/nps_check.h"
#include "tools/doctor/registry_check.h"

namespace hourglass::doctor {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckFindings(absl::string_view octets, const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    Require(!finding.id.empty() && !finding.what.empty() && !finding.remedy.empty());
    Require(finding.severity == Severity::kNote || !finding.effect.empty());
    // A line has an octet at least.
    Require(finding.place.line >= 0 &&
            static_cast<std::size_t>(finding.place.line) <= octets.size() + 1);
  }
  const std::string words = FindingsInWords(findings);
  const auto decoded = ca::DecodeUtf8(words);
  Require(decoded.has_value());
  Require(!absl::StrContains(words, "\x1b"));
}

void Check(absl::string_view octets) {
  const std::string file = "file";
  for (const auto& doctor :
       {+[](absl::string_view text, const std::string&name) { return CheckNpsFile(text, name); },
        +[](absl::string_view text, const std::string&name) {
          return CheckRegistryFile(text, name);
        },
        +[](absl::string_view text, const std::string&name) { return CheckConfigFile(text, name); },
        +[](absl::string_view text, const std::string&name) {
          return CheckConfigFile(text, name, ConfigKind::kStrongswan);
        },
        +[](absl::string_view text, const std::string&name) {
          return CheckConfigFile(text, name, ConfigKind::kOpenvpn);
        }}) {
    const std::vector<Finding> findings = doctor(octets, file);
    CheckFindings(octets, findings);
    Require(FindingsInWords(doctor(octets, file)) == FindingsInWords(findings));
  }
}

}  // namespace
}  // namespace hourglass::doctor

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::doctor::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
