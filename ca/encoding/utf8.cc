#include "ca/encoding/utf8.h"

namespace hourglass::ca {
namespace {

// Octets of the character that begins with `first`; 0 for an octet that cannot begin one.
std::size_t SequenceSize(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 0;
}

constexpr std::uint32_t kSmallestOfSize[] = {0, 0, 0x80, 0x800, 0x10000};

bool IsControl(std::uint32_t character) {
  return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
         character == 0x2029;
}

// Calls `take` for each code point; false where `text` is not UTF-8.
template <typename Take>
bool ForEachCodePoint(absl::string_view text, Take take) {
  for (std::size_t i = 0; i < text.size();) {
    const std::uint8_t first = static_cast<std::uint8_t>(text[i]);
    const std::size_t size = SequenceSize(first);
    if (size == 0 || text.size() - i < size) return false;
    std::uint32_t character = size == 1 ? first : first & (0x7fu >> size);
    for (std::size_t j = 1; j < size; ++j) {
      const std::uint8_t next = static_cast<std::uint8_t>(text[i + j]);
      if ((next & 0xc0) != 0x80) return false;
      character = character << 6 | (next & 0x3fu);
    }
    if (character < kSmallestOfSize[size] || !IsUnicodeScalar(character)) return false;
    take(character);
    i += size;
  }
  return true;
}

}  // namespace

std::optional<Utf8Text> DecodeUtf8(absl::string_view text) {
  Utf8Text decoded{0, false};
  const bool is_utf8 = ForEachCodePoint(text, [&decoded](std::uint32_t character) {
    decoded.has_controls |= IsControl(character);
    ++decoded.characters;
  });
  return is_utf8 ? std::optional(decoded) : std::nullopt;
}

std::optional<std::u32string> CodePointsOf(absl::string_view text) {
  std::u32string characters;
  const bool is_utf8 = ForEachCodePoint(
      text, [&characters](std::uint32_t c) { characters += static_cast<char32_t>(c); });
  return is_utf8 ? std::optional(characters) : std::nullopt;
}

absl::string_view FirstCharacters(absl::string_view text, std::size_t characters) {
  std::size_t end = 0;
  for (; characters > 0 && end < text.size(); --characters) {
    end += SequenceSize(static_cast<std::uint8_t>(text[end]));
  }
  return text.substr(0, end);
}

}  // namespace hourglass::ca
