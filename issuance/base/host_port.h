// Addresses as the configuration writes them.
#ifndef HOURGLASS_ISSUANCE_BASE_HOST_PORT_H_
#define HOURGLASS_ISSUANCE_BASE_HOST_PORT_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

struct HostPort {
  std::string host;  // a name or an address, IPv6 without brackets
  int port = 0;      // 0 to 65535
};

// `HOST:PORT`, `[IPV6]:PORT`; nullopt for anything else.
std::optional<HostPort> ParseHostPort(absl::string_view text);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_HOST_PORT_H_
