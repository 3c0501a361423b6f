#include "issuance/access/facts.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace hourglass::access {

std::optional<Platform> PlatformOf(absl::string_view operating_system) {
  struct Row {
    absl::string_view name;
    Platform platform;
  };
  // Whole names: `Windows Phone` and `Windows Mobile` are no Windows.
  static constexpr Row kNames[] = {
      {"windows", Platform::kWindows},
      {"windowsphone", Platform::kWindowsPhone},
      {"windows phone", Platform::kWindowsPhone},
      {"ios", Platform::kIos},
      {"iphone", Platform::kIos},
      {"ipad", Platform::kIos},
      {"ipados", Platform::kIos},
      {"android", Platform::kAndroid},
      {"androidforwork", Platform::kAndroid},
      {"androidenterprise", Platform::kAndroid},
      {"macos", Platform::kMacOs},
      {"macmdm", Platform::kMacOs},
      {"mac os x", Platform::kMacOs},
      {"linux", Platform::kLinux},
  };
  const absl::string_view name = absl::StripAsciiWhitespace(operating_system);
  if (name.empty()) return std::nullopt;
  for (const Row& row : kNames) {
    if (absl::EqualsIgnoreCase(row.name, name)) return row.platform;
  }
  return Platform::kUnlisted;
}

}  // namespace hourglass::access
