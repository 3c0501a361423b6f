// What an administrator does with a root on Windows.
#ifndef HOURGLASS_TOOLS_HOURGLASS_WINDOWS_TRUST_H_
#define HOURGLASS_TOOLS_HOURGLASS_WINDOWS_TRUST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::cli {

// A SHA-1 thumbprint (40 hexadecimal digits of either case) as Windows writes one into the EAP
// configuration of a VPNv2 profile: `5a 89 fe … be 4b `, lower-case pairs, a space after each,
// after the last too. The element is IssuerHash in CAHashList of EapTlsConnectionPropertiesV3
// ([MS-GPWL] 2.2.3.2, FilterInfoParams), by which the client chooses certificates of these roots
// only. xs:hexBinary has no spaces, but Windows does.
std::string ThumbprintForVpnProfile(absl::string_view sha1_thumbprint);

// The command lines, for an Enterprise Admin, that publish the certificate in `file` to the forest:
// to its trusted roots (RootCA), and to the authorities whose certificates log users on (NTAuthCA),
// which NPS demands of client certificates (KB 814394). `file` may be a path: only its name counts,
// since it is copied to a machine of the domain first. certutil takes DER and PEM alike, of which
// it publishes the first certificate.
std::vector<std::string> PublishingCommands(absl::string_view file);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_WINDOWS_TRUST_H_
