// Policies as Microsoft Graph exports them, and back.
#ifndef HOURGLASS_ISSUANCE_ACCESS_GRAPH_GRAPH_EXPORT_H_
#define HOURGLASS_ISSUANCE_ACCESS_GRAPH_GRAPH_EXPORT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/access/compliance/compliance_policy.h"
#include "issuance/access/named_location.h"
#include "issuance/access/policy.h"

namespace hourglass::access {

// Something that an administrator must know of what he imports.
struct Notice {
  enum class Kind {
    kIgnored,      // it changes no decision
    kNotEnforced,  // it cannot be enforced, so that what asks for it is not satisfied
  };
  Kind kind = Kind::kIgnored;
  std::string path;  // in the document: `value[3].conditions.times`
  std::string message;
  std::string object_id = "";  // of the policy or location that it is about

  bool operator==(const Notice&) const = default;
};

struct GraphExport {
  std::vector<ConditionalAccessPolicy> policies;
  std::vector<NamedLocation> locations;
  std::vector<CompliancePolicy> compliance_policies;
  std::vector<Notice> notices;
};

// Reads a conditionalAccessPolicy, a namedLocation or a policy derived from deviceCompliancePolicy,
// a list of such objects, or Graph's answer `{"value": […]}`, kinds mixed or not. Graph's own API,
// Get-Mg* of PowerShell and the tools that wrap them are understood, in UTF-8 or UTF-16 with a byte
// order mark. Errors: FIELD_INVALID at the path of the first mistake, a line for each: what is no
// JSON, a member that appears twice, an answer with an @odata.nextLink, which is only its first
// page, an object of another kind, a member of another type, and a policy without what it cannot do
// without. Pure, and safe to call from several threads.
absl::StatusOr<GraphExport> ParseGraphExport(absl::string_view octets);

// `{"value": […]}` in UTF-8, two blanks a level, that ParseGraphExport reads as the same objects.
// Notices are not part of it.
std::string WriteGraphExport(const GraphExport& objects);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_GRAPH_GRAPH_EXPORT_H_
