// Whether tests of gateways may be skipped on this machine.
#ifndef HOURGLASS_TESTS_SUPPORT_TUNNELS_REQUIRED_H_
#define HOURGLASS_TESTS_SUPPORT_TUNNELS_REQUIRED_H_

#include <cstdlib>

#include "absl/strings/string_view.h"

namespace hourglass {

// HOURGLASS_TUNNELS=required: what cannot be tried for want of rights or devices is a failure. Else
// it is skipped, with the reason.
inline bool TunnelsAreRequired() {
  const char* const word = std::getenv("HOURGLASS_TUNNELS");
  return word != nullptr && absl::string_view(word) == "required";
}

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_TUNNELS_REQUIRED_H_
