#include "issuance/tokens/guid.h"

#include <cstddef>

#include "absl/strings/ascii.h"

namespace hourglass::issuance {

std::string CanonicalGuid(absl::string_view text) {
  constexpr absl::string_view kForm = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kForm.size()) return "";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool sound = kForm[i] == '-' ? text[i] == '-'
                                       : absl::ascii_isxdigit(static_cast<unsigned char>(text[i]));
    if (!sound) return "";
  }
  return absl::AsciiStrToLower(text);
}

}  // namespace hourglass::issuance
