#include "tools/client/arguments.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/file_forms.h"
#include "hsm/base/error.h"

namespace hourglass::client {
namespace {

constexpr absl::string_view kDigits = "0123456789";
constexpr std::size_t kSerialNumberSize = 16;

absl::Status Invalid(absl::string_view text, absl::string_view expected) {
  return Error(ErrorReason::kFieldInvalid, "", absl::StrCat("`", text, "` is not ", expected));
}

}  // namespace

absl::StatusOr<absl::Duration> ParseLength(absl::string_view text) {
  constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 100);
  constexpr absl::string_view kExpected = "a length such as 30s, 10min, 8h, 90d or 2y";
  static constexpr std::pair<absl::string_view, absl::Duration> kUnits[] = {
      {"s", absl::Seconds(1)}, {"min", absl::Minutes(1)},    {"h", absl::Hours(1)},
      {"d", absl::Hours(24)},  {"y", absl::Hours(24 * 365)},
  };
  const std::size_t digits = std::min(text.find_first_not_of(kDigits), text.size());
  int32_t count;
  // SimpleAtoi skips spaces and signs, which the search for digits has ruled out.
  if (!absl::SimpleAtoi(text.substr(0, digits), &count)) return Invalid(text, kExpected);
  for (const auto& [name, unit] : kUnits) {
    if (text.substr(digits) != name) continue;
    const absl::Duration length = count * unit;
    if (length <= absl::ZeroDuration() || length > kLongest) {
      return Invalid(text, "more than nothing and at most 100 years");
    }
    return length;
  }
  return Invalid(text, kExpected);
}

absl::StatusOr<absl::Time> ParseTime(absl::string_view text) {
  for (const char* format : {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%d"}) {
    absl::Time time;
    std::string ignored;
    // ParseTime would take `infinite-past` too; a date begins with a digit.
    if (!text.empty() && absl::ascii_isdigit(static_cast<unsigned char>(text[0])) &&
        absl::ParseTime(format, text, absl::UTCTimeZone(), &time, &ignored)) {
      return time;
    }
  }
  return Invalid(text, "a UTC time such as 2026-11-20T10:42:07Z or 2026-11-20");
}

absl::StatusOr<absl::Time> ParsePastTime(absl::string_view text, absl::Time now) {
  if (text == "now") return now;
  const absl::StatusOr<absl::Time> time = ParseTime(text);
  if (time.ok()) return time;
  const absl::StatusOr<absl::Duration> ago = ParseLength(text);
  if (ago.ok()) return now - *ago;
  return Invalid(
      text,
      "a UTC time such as 2026-11-20T10:42:07Z or 2026-11-20, nor a length of time ago such as 2h");
}

absl::StatusOr<std::string> ParseSerialNumber(absl::string_view text) {
  const std::string digits = ca::PastedHexadecimal(text);
  if (digits.size() != 2 * kSerialNumberSize) {
    return Invalid(
        text, absl::StrCat("a serial number of 32 hexadecimal digits: ", ca::WhatWasPasted(text)));
  }
  return absl::HexStringToBytes(digits);
}

}  // namespace hourglass::client
