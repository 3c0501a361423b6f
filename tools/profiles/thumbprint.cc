#include "tools/profiles/thumbprint.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace hourglass::profiles {
namespace {

constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;

bool IsHexadecimal(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); });
}

bool IsZero(absl::string_view digits) {
  return digits.find_first_not_of('0') == absl::string_view::npos;
}

std::string Without(absl::string_view text, absl::string_view characters) {
  std::string left;
  for (const char c : text) {
    if (characters.find(c) == absl::string_view::npos) left += c;
  }
  return left;
}

}  // namespace

std::optional<std::string> ThumbprintOf(absl::string_view text) {
  std::string digits;
  while (!(text = absl::StripLeadingAsciiWhitespace(text)).empty()) {
    if (text.size() < 2 || !IsHexadecimal(text.substr(0, 2))) return std::nullopt;
    absl::StrAppend(&digits, text.substr(0, 2));
    text.remove_prefix(2);
  }
  if (digits.size() != kSha1Digits || IsZero(digits)) return std::nullopt;
  return absl::AsciiStrToUpper(digits);
}

std::string SpacedThumbprint(absl::string_view sha1_thumbprint) {
  std::string spaced;
  for (std::size_t i = 0; i + 1 < sha1_thumbprint.size(); i += 2) {
    absl::StrAppend(&spaced, absl::AsciiStrToLower(sha1_thumbprint.substr(i, 2)), " ");
  }
  return spaced;
}

std::vector<std::string> ThumbprintsOf(absl::string_view text) {
  const std::string digits = absl::AsciiStrToUpper(Without(text, " \t\r\n,;"));
  if (digits.empty() || digits.size() % kSha1Digits != 0 || !IsHexadecimal(digits)) return {};
  std::vector<std::string> thumbprints;
  for (std::size_t i = 0; i < digits.size(); i += kSha1Digits) {
    thumbprints.push_back(digits.substr(i, kSha1Digits));
    if (IsZero(thumbprints.back())) return {};
  }
  return thumbprints;
}

std::string WhatItIs(absl::string_view text) {
  const std::string digits = Without(text, " \t\r\n:");
  if (digits.empty()) return "is empty";
  if (!IsHexadecimal(digits)) return "is not hexadecimal";
  if (digits.size() == kSha256Digits) return "is a SHA-256 thumbprint";
  if (digits.size() == kSha1Digits) {
    return IsZero(digits) ? "is all zeros" : "is not written in pairs of digits";
  }
  return absl::StrCat("has ", digits.size(), " digits, not ", kSha1Digits);
}

}  // namespace hourglass::profiles
