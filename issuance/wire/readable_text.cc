#include "issuance/wire/readable_text.h"

#include <algorithm>

#include "ca/encoding/utf8.h"

namespace hourglass::issuance {

std::string AsUtf8(absl::string_view text) {
  std::string readable(text);
  if (ca::DecodeUtf8(text).has_value()) return readable;
  std::replace_if(
      readable.begin(), readable.end(), [](unsigned char c) { return c >= 0x80; }, '?');
  return readable;
}

}  // namespace hourglass::issuance
