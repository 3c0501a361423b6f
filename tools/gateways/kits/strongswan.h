// strongSwan 5.9 with swanctl, as an IKEv2 gateway.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_STRONGSWAN_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_STRONGSWAN_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

// In three variants: `pubkey`, where clients show their certificate to the gateway in IKE;
// `eap-tls`, where they do so in EAP; `eap-radius`, where a RADIUS server decides, the shape of
// RRAS and NPS. Of these only the last looks at the conditional-access OID; the README of the
// others says so.
const Kit& StrongswanKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_STRONGSWAN_H_
