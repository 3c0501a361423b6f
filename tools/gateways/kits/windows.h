// Windows: the forest, NPS, RRAS, clients.
#ifndef HOURGLASS_TOOLS_GATEWAYS_KITS_WINDOWS_H_
#define HOURGLASS_TOOLS_GATEWAYS_KITS_WINDOWS_H_

#include "tools/gateways/kit.h"

namespace hourglass::gateways {

// Certificates, scripts and steps, each with its undo, from Microsoft's documentation. Without a
// follower: Windows does not follow rotations by itself.
const Kit& WindowsKit();

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_KITS_WINDOWS_H_
