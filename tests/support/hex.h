// Octets that a test writes as digits.
#ifndef HOURGLASS_TESTS_SUPPORT_HEX_H_
#define HOURGLASS_TESTS_SUPPORT_HEX_H_

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/string_view.h"

namespace hourglass {

// The octets of `digits`, an even number of hexadecimal ones and nothing else. Safe to call from
// several threads.
inline std::string Hex(absl::string_view digits) { return absl::HexStringToBytes(digits); }

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_HEX_H_
