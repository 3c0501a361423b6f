// What a misspelt name was meant to be.
#ifndef HOURGLASS_ISSUANCE_YAML_NEAREST_NAME_H_
#define HOURGLASS_ISSUANCE_YAML_NEAREST_NAME_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::yaml {

// How many letters must be inserted, removed or replaced to make the one of the other
// (Levenshtein). Takes the time of the product of their lengths.
std::size_t EditDistance(absl::string_view a, absl::string_view b);

// The one of `names` that `typed` was probably meant to be: at most two letters inserted, removed
// or replaced, and fewer than half of them; "" where there is none.
std::string NearestName(absl::string_view typed, const std::vector<std::string>& names);

}  // namespace hourglass::yaml

#endif  // HOURGLASS_ISSUANCE_YAML_NEAREST_NAME_H_
