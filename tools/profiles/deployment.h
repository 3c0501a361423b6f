// How a profile gets onto a machine: by Intune, or by a script.
#ifndef HOURGLASS_TOOLS_PROFILES_DEPLOYMENT_H_
#define HOURGLASS_TOOLS_PROFILES_DEPLOYMENT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::profiles {

// `./User/Vendor/MSFT/VPNv2/Contoso%20VPN/ProfileXML`, with `./Device` for a device tunnel. `name`
// is what CheckProfileName takes.
std::string OmaUri(absl::string_view name, bool is_device_tunnel);

// `xml` as the value of that setting where it goes into another XML: escaped, once.
std::string OmaUriValue(absl::string_view xml);

// A script for Windows PowerShell 5.1 that puts the profile in place of one of the same name,
// through the MDM bridge (WMI class MDM_VPNv2_01). It has to run as SYSTEM; a user's tunnel is for
// who is logged on at the console then. `xml` must be ASCII, as WriteVpnProfile gives it; so is the
// script.
std::string InstallScript(absl::string_view name, absl::string_view xml, bool is_device_tunnel);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_DEPLOYMENT_H_
