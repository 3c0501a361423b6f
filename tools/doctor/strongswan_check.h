// The traps of strongSwan as a gateway for certificates of Hourglass.
#ifndef HOURGLASS_TOOLS_DOCTOR_STRONGSWAN_CHECK_H_
#define HOURGLASS_TOOLS_DOCTOR_STRONGSWAN_CHECK_H_

#include <string>
#include <vector>

#include "tools/doctor/finding.h"
#include "tools/doctor/strongswan_settings.h"

namespace hourglass::doctor {

// Of swanctl.conf's connections and strongswan.conf's charon, whichever is there. `file` is the
// findings' place. No finding holds a secret.
std::vector<Finding> CheckStrongswan(const StrongswanSettings& settings, const std::string& file);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_STRONGSWAN_CHECK_H_
