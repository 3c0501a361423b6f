// The kit of Apache: HTTPS for whoever has conditional access, read by PeerExtList.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_APACHE_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_APACHE_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

const Kit& ApacheKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_APACHE_H_
