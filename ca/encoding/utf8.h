// UTF-8 (RFC 3629), decoded strictly.
#ifndef HOURGLASS_CA_ENCODING_UTF8_H_
#define HOURGLASS_CA_ENCODING_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace hourglass::ca {

struct Utf8Text {
  std::size_t characters;  // code points
  bool has_controls;       // C0, DEL, C1, U+2028 or U+2029
};

// Empty where `text` is not UTF-8: overlong forms, surrogates and what lies beyond U+10FFFF are
// not.
std::optional<Utf8Text> DecodeUtf8(absl::string_view text);

// The code points of `text`; empty where DecodeUtf8 is.
std::optional<std::u32string> CodePointsOf(absl::string_view text);

// The longest beginning of `text`, which must be UTF-8, that has at most `characters` code points.
absl::string_view FirstCharacters(absl::string_view text, std::size_t characters);

// Whether a UTF-8 (or other) encoding may hold this code point: up to U+10FFFF and no surrogate.
constexpr bool IsUnicodeScalar(std::uint32_t character) {
  return character <= 0x10ffff && (character < 0xd800 || character > 0xdfff);
}

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_ENCODING_UTF8_H_
