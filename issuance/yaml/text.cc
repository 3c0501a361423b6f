#include "issuance/yaml/text.h"

#include <algorithm>
#include <numeric>

namespace hourglass::yaml {
namespace {

bool Between(unsigned char c, int low, int high) { return c >= low && c <= high; }

// Octets of the well-formed character that `text` begins with, or 0.
std::size_t CharacterSize(absl::string_view text) {
  const auto at = [&](std::size_t i) -> unsigned char { return i < text.size() ? text[i] : 0; };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (Between(first, 0xC2, 0xDF)) return Between(at(1), 0x80, 0xBF) ? 2 : 0;
  if (Between(first, 0xE0, 0xEF)) {
    const int low = first == 0xE0 ? 0xA0 : 0x80;
    const int high = first == 0xED ? 0x9F : 0xBF;
    return Between(at(1), low, high) && Between(at(2), 0x80, 0xBF) ? 3 : 0;
  }
  if (!Between(first, 0xF0, 0xF4)) return 0;
  const int low = first == 0xF0 ? 0x90 : 0x80;
  const int high = first == 0xF4 ? 0x8F : 0xBF;
  return Between(at(1), low, high) && Between(at(2), 0x80, 0xBF) && Between(at(3), 0x80, 0xBF) ? 4
                                                                                               : 0;
}

// Levenshtein's.
std::size_t Distance(absl::string_view a, absl::string_view b) {
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

}  // namespace

std::size_t FirstInvalidUtf8(absl::string_view text) {
  std::size_t position = 0;
  while (position < text.size()) {
    const std::size_t size = CharacterSize(text.substr(position));
    if (size == 0) return position;
    position += size;
  }
  return position;
}

std::string NearestName(absl::string_view typed, const std::vector<std::string>& names) {
  std::string nearest;
  std::size_t least = 3;
  for (const std::string& name : names) {
    const std::size_t distance = Distance(typed, name);
    if (distance < least && 2 * distance < name.size()) {
      least = distance;
      nearest = name;
    }
  }
  return nearest;
}

}  // namespace hourglass::yaml
