// A network access server that takes Disconnect-Request (RFC 5176).
#ifndef HOURGLASS_TOOLS_GATEWAYD_RADIUS_NAS_H_
#define HOURGLASS_TOOLS_GATEWAYD_RADIUS_NAS_H_

#include <memory>
#include <string>

#include "tools/gatewayd/gateway.h"

namespace hourglass::gatewayd {

struct RadiusNasConfig {
  std::string address;         // `ADDRESS:PORT`, by UDP; RFC 5176 gives it the port 3799
  std::string secret;          // shared
  std::string nas_identifier;  // or empty: not said
  bool message_authenticator = true;
};

// Disconnects users by their names, on all devices: it cannot be asked what tunnels there are, so
// nothing is done again (Task::is_again). A name that CheckUserName refuses is not sent. A NAS that
// has no session of the user, or refuses for good, is told of and not asked again. Where it gives
// no answer for one user, the others come first the next time, and who was disconnected is not
// again.
std::unique_ptr<Gateway> MakeRadiusNas(RadiusNasConfig config);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_RADIUS_NAS_H_
