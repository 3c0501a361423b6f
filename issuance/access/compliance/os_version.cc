#include "issuance/access/compliance/os_version.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace hourglass::access {

std::optional<OsVersion> ParseOsVersion(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  OsVersion version{};
  if (parts.size() > version.size()) return std::nullopt;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool digits = !parts[i].empty() && parts[i].size() <= 9 &&
                        parts[i].find_first_not_of("0123456789") == absl::string_view::npos;
    if (!digits || !absl::SimpleAtoi(parts[i], &version[i])) return std::nullopt;
  }
  return version;
}

}  // namespace hourglass::access
