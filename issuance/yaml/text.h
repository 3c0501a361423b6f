// What text a configuration file may hold.
#ifndef HOURGLASS_ISSUANCE_YAML_TEXT_H_
#define HOURGLASS_ISSUANCE_YAML_TEXT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::yaml {

// The offset of the first octet that is not part of well-formed UTF-8 (Unicode 15 table 3-7), or
// text.size().
std::size_t FirstInvalidUtf8(absl::string_view text);

// U+0000 to U+001F and U+007F.
inline bool IsControlCharacter(char c) {
  return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
}

// The one of `names` that `typed` was probably meant to be: at most two letters inserted, removed
// or replaced, and fewer than half of them; "" where there is none.
std::string NearestName(absl::string_view typed, const std::vector<std::string>& names);

}  // namespace hourglass::yaml

#endif  // HOURGLASS_ISSUANCE_YAML_TEXT_H_
