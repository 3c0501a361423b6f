// The kit of OpenVPN: tunnels for whoever has conditional access, by remote-cert-eku.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_OPENVPN_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_OPENVPN_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

const Kit& OpenvpnKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_OPENVPN_H_
