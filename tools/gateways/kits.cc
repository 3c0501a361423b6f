// The kinds of gateways that there are kits for.
#include <algorithm>

#include "tools/gateways/kit.h"
#include "tools/gateways/kits/apache.h"
#include "tools/gateways/kits/freeradius.h"
#include "tools/gateways/kits/haproxy.h"
#include "tools/gateways/kits/nginx.h"
#include "tools/gateways/kits/openvpn.h"
#include "tools/gateways/kits/strongswan.h"
#include "tools/gateways/kits/stunnel.h"
#include "tools/gateways/kits/windows.h"

namespace hourglass::gateways {

absl::Span<const Kit* const> Kits() {
  static const Kit* const kKits[] = {
      &FreeradiusKit(), &StrongswanKit(), &OpenvpnKit(), &NginxKit(),
      &HaproxyKit(),    &ApacheKit(),     &StunnelKit(), &WindowsKit(),
  };
  return kKits;
}

const Kit* FindKit(absl::string_view kind) {
  const absl::Span<const Kit* const> kits = Kits();
  const auto found =
      std::find_if(kits.begin(), kits.end(), [&](const Kit* kit) { return kit->kind == kind; });
  return found == kits.end() ? nullptr : *found;
}

}  // namespace hourglass::gateways
