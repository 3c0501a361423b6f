// FreeRADIUS 3.2, for EAP-TLS.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_FREERADIUS_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_FREERADIUS_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

// A configuration of its own for `freeradius -d FOLDER`: accepts who shows a certificate of the
// tenant's roots with the conditional-access OID that is for this user, and bounds the session by
// what is left of it.
const Kit& FreeradiusKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_FREERADIUS_H_
