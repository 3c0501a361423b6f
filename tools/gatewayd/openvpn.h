// OpenVPN, through its management interface.
#ifndef HOURGLASS_TOOLS_GATEWAYD_OPENVPN_H_
#define HOURGLASS_TOOLS_GATEWAYD_OPENVPN_H_

#include <memory>
#include <string>

#include "tools/gatewayd/gateway.h"

namespace hourglass::gatewayd {

struct OpenvpnConfig {
  std::string management;  // path of the Unix socket, or `ADDRESS:PORT`
  std::string password;    // of the interface; empty: it asks for none
};

// Ends clients by their client ids. A client whose certificate is listed is told not to come back
// by itself, and ended at once; one that is ended by its user's name is told to come back, since it
// may be another device of his. The interface takes one at a time: it is left after each task.
std::unique_ptr<Gateway> MakeOpenvpn(OpenvpnConfig config);

}  // namespace hourglass::gatewayd

#endif  // HOURGLASS_TOOLS_GATEWAYD_OPENVPN_H_
