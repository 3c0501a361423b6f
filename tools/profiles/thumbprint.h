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

// A thumbprint (40 hexadecimal digits of either case) as Windows writes one into the EAP
// configuration of a profile: `5a 89 fe … be 4b `, lower-case pairs, a space after each, after the
// last too. Elements are TrustedRootCA, and IssuerHash in CAHashList of
// EapTlsConnectionPropertiesV3 ([MS-GPWL] 2.2.3.2, FilterInfoParams). xs:hexBinary has no spaces,
// but Windows does.
std::string SpacedThumbprint(absl::string_view sha1_thumbprint);

// Of several what ThumbprintOf gives, one behind the other, `,`, `;` or white space between them.
// Empty where one of them is none, and where there is none at all.
std::vector<std::string> ThumbprintsOf(absl::string_view text);

// What a text that is no thumbprint seems to be, to end a sentence: `is a SHA-256 thumbprint`.
std::string WhatItIs(absl::string_view text);

}  // namespace hourglass::profiles

#endif  // HOURGLASS_TOOLS_PROFILES_THUMBPRINT_H_
