#include "issuance/access/missing_references.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "issuance/access/special_ids.h"

namespace hourglass::access {
namespace {

bool IsThere(absl::string_view id, const std::vector<NamedLocation>& locations,
             const AccessOptions& options) {
  if (absl::EqualsIgnoreCase(id, kAll) || absl::EqualsIgnoreCase(id, kAllTrusted)) return true;
  if (id == kMfaTrustedIps && !options.mfa_trusted_ips.empty()) return true;
  return std::any_of(locations.begin(), locations.end(), [id](const NamedLocation& location) {
    return absl::EqualsIgnoreCase(location.id, id);
  });
}

}  // namespace

std::vector<NotUnderstood> MissingReferences(const ConditionalAccessPolicy& policy,
                                             const std::vector<NamedLocation>& locations,
                                             const AccessOptions& options) {
  std::vector<NotUnderstood> missing;
  const auto look_at_applications = [&](const char* path, const std::vector<std::string>& ids) {
    if (!options.vpn_applications.empty() || std::none_of(ids.begin(), ids.end(), LooksLikeId)) {
      return;
    }
    missing.push_back({path, "it is not said which application is the VPN server"});
  };
  const auto look_at_locations = [&](const char* path, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) {
      if (IsThere(id, locations, options)) continue;
      missing.push_back({path, id == kMfaTrustedIps
                                   ? "the trusted IPs of multifactor authentication are not said"
                                   : absl::StrCat("there is no named location ", id)});
    }
  };
  const Conditions& conditions = policy.conditions;
  look_at_applications("conditions.applications.includeApplications",
                       conditions.applications.include);
  look_at_applications("conditions.applications.excludeApplications",
                       conditions.applications.exclude);
  if (conditions.locations.has_value()) {
    look_at_locations("conditions.locations.includeLocations", conditions.locations->include);
    look_at_locations("conditions.locations.excludeLocations", conditions.locations->exclude);
  }
  return missing;
}

}  // namespace hourglass::access
