// Whether a policy of NPS matches the request of a VPN gateway, as far as its conditions tell.
#ifndef HOURGLASS_TOOLS_DOCTOR_NPS_CONDITIONS_H_
#define HOURGLASS_TOOLS_DOCTOR_NPS_CONDITIONS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::doctor {

enum class NpsMatch {
  kNever,          // not the request of any VPN gateway
  kSometimes,      // by the user, the gateway, the time
  kAlways,         // every VPN gateway's, for every user at every time
  kNotUnderstood,  // may match
};

// Of one condition (msNPConstraint): `MATCH("NAS-Port-Type=^5$")`.
NpsMatch MatchOfCondition(absl::string_view condition);

// Of all of a policy's: kNever where one is, kAlways where all are.
NpsMatch MatchOfConditions(const std::vector<std::string>& conditions);

// Whether one of them asks for Microsoft's RRAS: `MATCH("MS-RAS-Vendor=^311$")`.
bool AsksForRras(const std::vector<std::string>& conditions);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_NPS_CONDITIONS_H_
