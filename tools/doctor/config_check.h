// Configuration files of gateways, of whichever program.
#ifndef HOURGLASS_TOOLS_DOCTOR_CONFIG_CHECK_H_
#define HOURGLASS_TOOLS_DOCTOR_CONFIG_CHECK_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tools/doctor/finding.h"

namespace hourglass::doctor {

enum class ConfigKind {
  kStrongswan,  // swanctl.conf or strongswan.conf
  kOpenvpn,
  kUnknown,
};

// By its sections `connections` and `charon`, or by its options.
ConfigKind KindOfConfig(absl::string_view octets);

// The traps in it; `config-unreadable` where it is damaged or of no kind that is known. `file` is
// the findings' place. kUnknown as `kind` stands for KindOfConfig.
std::vector<Finding> CheckConfigFile(absl::string_view octets, const std::string& file,
                                     ConfigKind kind = ConfigKind::kUnknown);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_CONFIG_CHECK_H_
