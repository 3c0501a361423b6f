// Policies in the form in which they are evaluated.
#ifndef HOURGLASS_ISSUANCE_ACCESS_PREPARED_POLICY_H_
#define HOURGLASS_ISSUANCE_ACCESS_PREPARED_POLICY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "issuance/access/evaluation.h"
#include "issuance/access/filter_rule.h"
#include "issuance/access/prepared_locations.h"
#include "issuance/access/truth.h"

namespace hourglass::access {

// Who is included, or excluded. Ids have small letters.
struct Selection {
  bool everybody = false;
  bool all_guests = false;
  std::vector<std::string> users;
  std::vector<std::string> groups;
  std::vector<std::string> roles;
  std::optional<GuestsOrExternalUsers> guests;
  IdSet guest_tenants;
  bool open = false;  // something is not understood: others may be in it, too
};

// Values of an enumeration, a bit each.
struct ValueSet {
  std::uint32_t mask = 0;
  std::uint32_t everything = 0;  // the bits of all values that a fact can have
  bool configured = false;       // otherwise everything matches
  bool open = false;
};

struct PreparedControl {
  ControlKind kind;
  std::string detail;
  std::vector<std::vector<std::string>> combinations;  // of an authentication strength
};

struct PreparedPolicy {
  const ConditionalAccessPolicy* source = nullptr;
  bool enforced = true;

  Truth applications = Truth::kNo;
  Selection include_users, exclude_users;
  ValueSet client_apps;
  ValueSet include_platforms, exclude_platforms;
  bool has_locations = false;
  LocationChoice include_locations, exclude_locations;
  bool has_devices = false;
  std::optional<FilterRule> filter;  // nullopt where there is none, or it cannot be parsed
  FilterMode filter_mode = FilterMode::kInclude;
  bool devices_open = false;
  ValueSet sign_in_risk, user_risk, insider_risk, transfer_methods;
  bool other_conditions = false;

  bool blocks = false;
  GrantOperator combination = GrantOperator::kAnd;
  std::vector<PreparedControl> grant;           // without block
  std::vector<PreparedControl> session;         // all are required
  std::vector<PreparedControl> not_understood;  // of conditions and session; never satisfied
};

// `source` must outlive the result.
PreparedPolicy PreparePolicy(const ConditionalAccessPolicy& source,
                             const PreparedLocations& locations, const AccessOptions& options);

}  // namespace hourglass::access

#endif  // HOURGLASS_ISSUANCE_ACCESS_PREPARED_POLICY_H_
