// The traps of an OpenVPN server's configuration for certificates of Hourglass.
#ifndef HOURGLASS_TOOLS_DOCTOR_OPENVPN_CHECK_H_
#define HOURGLASS_TOOLS_DOCTOR_OPENVPN_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/doctor/finding.h"

namespace hourglass::doctor {

// An option as it stands in the file (openvpn(8)).
struct OpenvpnOption {
  std::string name;                    // without `--`
  std::vector<std::string> arguments;  // without their quotes; `[inline]` for a block
  int line = 0;                        // from 1
};

// The options in order; blocks such as `<ca>` are passed over. Errors: FIELD_INVALID without a
// field, with the line: more than 1 MiB, not UTF-8, a quote or a block without an end. Several
// threads may call it.
absl::StatusOr<std::vector<OpenvpnOption>> ParseOpenvpn(absl::string_view octets);

// `file` is the findings' place.
std::vector<Finding> CheckOpenvpn(const std::vector<OpenvpnOption>& options,
                                  const std::string& file);

}  // namespace hourglass::doctor

#endif  // HOURGLASS_TOOLS_DOCTOR_OPENVPN_CHECK_H_
