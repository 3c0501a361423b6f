#include "issuance/yaml/nearest_name.h"

#include <algorithm>
#include <numeric>

namespace hourglass::yaml {

std::size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string NearestName(absl::string_view typed, const std::vector<std::string>& names) {
  std::string nearest;
  std::size_t least = 3;
  for (const std::string& name : names) {
    const std::size_t distance = EditDistance(typed, name);
    if (distance < least && 2 * distance < name.size()) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace hourglass::yaml
