// The kinds of gateways that there are kits for.
#include <algorithm>

#include "tools/gateways/kit.h"
#include "tools/gateways/kits/freeradius.h"
#include "tools/gateways/kits/strongswan.h"
#include "tools/gateways/kits/windows.h"

namespace hourglass::gateways {

absl::Span<const Kit* const> Kits() {
  static const Kit* const kKits[] = {
      &FreeradiusKit(),
      &StrongswanKit(),
      &WindowsKit(),
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
