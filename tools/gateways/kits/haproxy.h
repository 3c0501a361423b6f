// The kit of HAProxy: HTTPS for whoever has conditional access, read from the certificate's octets.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_HAPROXY_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_HAPROXY_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

const Kit& HaproxyKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_HAPROXY_H_
