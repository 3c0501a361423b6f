// SHA-1 thumbprints as profiles write them.
#ifndef HOURGLASS_TOOLS_PROFILES_THUMBPRINT_H_
#define HOURGLASS_TOOLS_PROFILES_THUMBPRINT_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::profiles {

// The 40 upper-case hexadecimal digits of a thumbprint: 20 pairs of digits of either case, with or
// without white space around each pair. Empty where `text` is anything else, or all zeros.
std::optional<std::string> ThumbprintOf(absl::string_view text);

// The same of several, one behind the other, `,`, `;` or white space between them. Empty where one
// of them is none, and where there is none at all.
std::vector<std::string> ThumbprintsOf(absl::string_view text);

// What a text that is no thumbprint seems to be, to end a sentence: `is a SHA-256 thumbprint`.
std::string WhatItIs(absl::string_view text);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_THUMBPRINT_H_
