// Whatever a file holds, it is refused as a whole, or each finding is by a rule and in a line of
// it; and a profile of which nothing is said is valid in libxml2's judgement, too.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "tools/doctor/finding.h"
#include "tools/profiles/profile_check.h"
#include "tools/profiles/rules.h"
#include "tools/profiles/schema_validation.h"

namespace hourglass::profiles {
namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

bool IsOfARule(const doctor::Finding& finding) {
  const absl::Span<const Rule* const> rules = AllRules();
  return std::any_of(rules.begin(), rules.end(),
                     [&finding](const Rule* rule) { return rule->id == finding.id; });
}

void Check(absl::string_view octets) {
  Surroundings known;
  known.tenant_roots = known.live_roots = {"89ABCDEF0123456789ABCDEF0123456789ABCDEF"};
  const absl::StatusOr<std::vector<doctor::Finding>> findings =
      CheckProfiles({{"profile", std::string(octets), ""}}, known);
  if (!findings.ok()) {
    Require(ReasonOf(findings.status()) == ErrorReason::kFieldInvalid);
    return;
  }
  const auto lines = 2 + std::count_if(octets.begin(), octets.end(),
                                       [](char c) { return c == '\n' || c == '\r'; });
  for (const doctor::Finding& finding : *findings) {
    Require(IsOfARule(finding));
    Require(finding.place.line >= 0 && finding.place.line <= lines);
  }
  // A document may name types and schemas of its own, which only a validator looks at.
  const bool is_plain =
      absl::StartsWith(octets, "<VPNProfile") && !absl::StrContains(octets, "XMLSchema-instance");
  if (is_plain && findings->empty()) Require(SchemaFaults(octets).empty());
}

}  // namespace
}  // namespace hourglass::profiles

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hourglass::profiles::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
