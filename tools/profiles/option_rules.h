// What may be a value of a profile, and how values are read that have parts.
#ifndef HOURGLASS_TOOLS_PROFILES_OPTION_RULES_H_
#define HOURGLASS_TOOLS_PROFILES_OPTION_RULES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/profiles/vpn_profile.h"

namespace hourglass::profiles {

// `HOST` or `HOST;LABEL`. Errors: FIELD_INVALID with field `--server`.
absl::StatusOr<VpnServer> ParseServer(absl::string_view text);

// `10.0.0.0/8`. Errors: FIELD_INVALID with field `--route`, also where bits behind the prefix are
// set: Windows drops such a route silently.
absl::StatusOr<IpPrefix> ParseRoute(absl::string_view text);

// `.corp.example=10.0.0.1,10.0.0.2`; without `=` names are resolved as elsewhere. Errors:
// FIELD_INVALID with field `--name-rule`.
absl::StatusOr<NameRule> ParseNameRule(absl::string_view text);

// `app=…;protocol=6;remote-ports=443`, of `app`, `protocol` (a number, `tcp` or `udp`),
// `local-ports`, `remote-ports`, `local-addresses`, `remote-addresses`, `direction` (`inbound` or
// `outbound`); each at most once. Errors: FIELD_INVALID with field `--traffic-filter`.
absl::StatusOr<TrafficRule> ParseTrafficRule(absl::string_view text);

// What an MDM may name a profile: what can be seen, 1 to 64 characters, no `/`. Errors:
// FIELD_MISSING or FIELD_INVALID with field `--name`.
absl::Status CheckProfileName(absl::string_view name);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_OPTION_RULES_H_
