// What an administrator does with a root on Windows.
#ifndef HOURGLASS_TOOLS_HOURGLASS_WINDOWS_TRUST_H_
#define HOURGLASS_TOOLS_HOURGLASS_WINDOWS_TRUST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::cli {

// The command lines, for an Enterprise Admin, that publish the certificate in `file` to the forest:
// to its trusted roots (RootCA), and to the authorities whose certificates log users on (NTAuthCA),
// which NPS demands of client certificates (KB 814394). `file` may be a path: only its name counts,
// since it is copied to a machine of the domain first. certutil takes DER and PEM alike, of which
// it publishes the first certificate.
std::vector<std::string> PublishingCommands(absl::string_view file);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_WINDOWS_TRUST_H_
