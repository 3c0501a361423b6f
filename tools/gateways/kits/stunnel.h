// The kit of stunnel, which cannot check conditional access.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_STUNNEL_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_STUNNEL_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

const Kit& StunnelKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_STUNNEL_H_
