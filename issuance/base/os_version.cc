#include "issuance/base/os_version.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace hourglass::issuance {

std::optional<OsVersion> ParseOsVersion(absl::string_view text) {
  const std::vector<absl::string_view> numbers = absl::StrSplit(text, '.');
  OsVersion version = {};
  if (numbers.size() > version.size()) return std::nullopt;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const absl::string_view number = numbers[i];
    if (number.empty() || number.size() > 9 ||
        !std::all_of(number.begin(), number.end(), absl::ascii_isdigit) ||
        !absl::SimpleAtoi(number, &version[i])) {
      return std::nullopt;
    }
  }
  return version;
}

}  // namespace hourglass::issuance
