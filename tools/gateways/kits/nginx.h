// The kit of nginx: HTTPS for whoever has conditional access, read by its perl module.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_NGINX_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_NGINX_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

const Kit& NginxKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_NGINX_H_
