// Versions of operating systems, and their order.
#ifndef HOURGLASS_ISSUANCE_BASE_OS_VERSION_H_
#define HOURGLASS_ISSUANCE_BASE_OS_VERSION_H_

#include <array>
#include <optional>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// major.minor.build.revision; compares number by number, so that 10.0.9 is before 10.0.10.
using OsVersion = std::array<int, 4>;

// One to four numbers of at most nine digits, joined by dots; those left out are 0. Nullopt for
// anything else.
std::optional<OsVersion> ParseOsVersion(absl::string_view text);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_OS_VERSION_H_
