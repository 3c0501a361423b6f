// IP networks as routes name them.
#ifndef HOURGLASS_TOOLS_PROFILES_IP_PREFIX_H_
#define HOURGLASS_TOOLS_PROFILES_IP_PREFIX_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::profiles {

struct IpPrefix {
  std::string address;  // as it was written
  int size = 0;         // bits
  std::string network;  // the address with the bits behind `size` cleared, in its shortest form

  // Whether bits behind `size` are set: 10.21.12.5/24.
  bool HasHostBits() const;
};

// Empty where `address` is no IPv4 or IPv6 address, or `size` is negative or more than it has bits.
std::optional<IpPrefix> MakeIpPrefix(absl::string_view address, int size);

// `10.0.0.0/8`, `2001:db8::/32`.
std::optional<IpPrefix> ParseIpPrefix(absl::string_view text);

// An address alone.
bool IsIpAddress(absl::string_view text);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_IP_PREFIX_H_
