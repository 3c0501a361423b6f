// The version of Hourglass.
#ifndef HOURGLASS_TOOLS_VERSION_VERSION_H_
#define HOURGLASS_TOOLS_VERSION_VERSION_H_

#include <string>

#include "absl/strings/str_cat.h"

namespace hourglass {

// Of all programs together (https://semver.org/); the one place that says it.
inline constexpr char kVersion[] = "0.1.0";

// What `--version` prints: `hourglassd 0.1.0`, without a line feed.
inline std::string VersionLine(absl::string_view program) {
  return absl::StrCat(program, " ", kVersion);
}

}  // namespace hourglass

#endif  // HOURGLASS_TOOLS_VERSION_VERSION_H_
