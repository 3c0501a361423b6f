#include "ca/text/visible_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/strings/str_format.h"
#include "ca/encoding/utf8.h"
#include "ca/text/code_points.h"

namespace hourglass::ca {
namespace {

// Octets at the beginning of `text` that are one character, or 0.
std::size_t FirstCharacterSize(absl::string_view text) {
  for (std::size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (DecodeUtf8(text.substr(0, size)).has_value()) return size;
  }
  return 0;
}

bool IsPlain(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return c >= ' ' && c < 0x7f; });
}

bool IsControl(char32_t character) {
  return character < 0x20 || (character >= 0x7f && character < 0xa0);
}

void AppendVisible(char32_t character, absl::string_view octets, std::string* visible) {
  const auto number = static_cast<std::uint32_t>(character);
  if (IsControl(character)) {
    absl::StrAppendFormat(visible, "\\x%02x", number);
  } else if (!FaultOfCharacter(character).empty()) {
    absl::StrAppendFormat(visible, "\\u{%04X}", number);
  } else {
    visible->append(octets.data(), octets.size());
  }
}

void AppendJsonEscape(char32_t character, std::string* json) {
  const auto number = static_cast<std::uint32_t>(character);
  if (number < 0x10000) {
    absl::StrAppendFormat(json, "\\u%04x", number);
    return;
  }
  absl::StrAppendFormat(json, "\\u%04x\\u%04x", 0xd800 + ((number - 0x10000) >> 10),
                        0xdc00 + ((number - 0x10000) & 0x3ff));
}

}  // namespace

std::string VisibleText(absl::string_view text) {
  if (IsPlain(text)) return std::string(text);
  std::string visible;
  while (!text.empty()) {
    const std::size_t size = FirstCharacterSize(text);
    const absl::string_view octets = text.substr(0, std::max<std::size_t>(size, 1));
    if (size == 0) {
      absl::StrAppendFormat(&visible, "\\x%02x", static_cast<unsigned char>(text[0]));
    } else {
      AppendVisible(CodePointsOf(octets)->front(), octets, &visible);
    }
    text.remove_prefix(octets.size());
  }
  return visible;
}

std::string VisibleJson(std::string json) {
  // Line ends and blanks between its parts are JSON's own; in strings it has escaped C0.
  const auto needs_no_look = [](unsigned char c) { return c < 0x7f; };
  if (std::all_of(json.begin(), json.end(), needs_no_look)) return json;
  std::string visible;
  for (absl::string_view rest = json; !rest.empty();) {
    const std::size_t size = std::max<std::size_t>(FirstCharacterSize(rest), 1);
    const std::optional<std::u32string> character = CodePointsOf(rest.substr(0, size));
    if (character.has_value() && character->front() >= 0x7f &&
        !FaultOfCharacter(character->front()).empty()) {
      AppendJsonEscape(character->front(), &visible);
    } else {
      visible.append(rest.data(), size);
    }
    rest.remove_prefix(size);
  }
  return visible;
}

}  // namespace hourglass::ca
