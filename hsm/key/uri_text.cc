#include "hsm/key/uri_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"

namespace hourglass::hsm {
namespace {

constexpr size_t kLongestUri = 4096;

bool IsUriCharacter(char c) {
  return absl::ascii_isgraph(static_cast<unsigned char>(c)) &&
         !absl::StrContains("\"#<>\\^`{}", absl::string_view(&c, 1));
}

}  // namespace

absl::Status UriInvalid(absl::string_view message) {
  return Error(ErrorReason::kKeyUriInvalid, "", message);
}

absl::Status CheckUriText(absl::string_view text) {
  if (text.size() > kLongestUri) return UriInvalid("is longer than 4096 characters");
  if (!std::all_of(text.begin(), text.end(), IsUriCharacter)) {
    return UriInvalid("holds a character that must be percent-encoded");
  }
  return absl::OkStatus();
}

absl::Status CheckAttributes(absl::string_view part, char separator,
                             std::vector<absl::string_view> allowed) {
  if (part.empty()) return absl::OkStatus();
  for (const absl::string_view attribute : absl::StrSplit(part, separator)) {
    const size_t equals = attribute.find('=');
    if (equals == absl::string_view::npos || equals + 1 == attribute.size()) {
      return UriInvalid("an attribute has no value");
    }
    const absl::string_view name = attribute.substr(0, equals);
    if (name == "pin-value") return UriInvalid("pin-value is refused: use pin-source");
    const auto found = std::find(allowed.begin(), allowed.end(), name);
    if (found == allowed.end()) {
      return UriInvalid("an attribute is repeated, or is none that is understood here");
    }
    allowed.erase(found);
  }
  return absl::OkStatus();
}

absl::string_view AttributeIn(absl::string_view part, char separator, absl::string_view name) {
  for (const absl::string_view attribute : absl::StrSplit(part, separator)) {
    const size_t equals = attribute.find('=');
    if (attribute.substr(0, equals) == name) return attribute.substr(equals + 1);
  }
  return "";
}

absl::StatusOr<std::string> PercentDecoded(absl::string_view value) {
  std::string decoded;
  for (size_t at = 0; at < value.size(); ++at) {
    if (value[at] != '%') {
      decoded += value[at];
      continue;
    }
    const absl::string_view digits = value.substr(at + 1, 2);
    if (digits.size() != 2 || !std::all_of(digits.begin(), digits.end(), [](unsigned char c) {
          return absl::ascii_isxdigit(c);
        })) {
      return UriInvalid("a % is not followed by two hexadecimal digits");
    }
    decoded += absl::HexStringToBytes(digits);
    at += 2;
  }
  if (HasControlCharacter(decoded)) return UriInvalid("a value holds a control character");
  return decoded;
}

bool HasControlCharacter(absl::string_view value) {
  return std::any_of(value.begin(), value.end(),
                     [](unsigned char c) { return absl::ascii_iscntrl(c); });
}

}  // namespace hourglass::hsm
