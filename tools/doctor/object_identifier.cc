#include "tools/doctor/object_identifier.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hourglass::doctor {
namespace {

// What every miss of this OID has in common: the arcs of Microsoft.
constexpr absl::string_view kStem = "1.3.6.1.4.1.311.";

// Digits and dots alone, no two dots in a row.
std::string DigitsAndDots(absl::string_view text) {
  std::string kept;
  for (const char c : text) {
    if (c == ',' || c == '.') {
      if (!kept.empty() && kept.back() != '.') kept.push_back('.');
    } else if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      kept.push_back(c);
    }
  }
  return kept;
}

}  // namespace

bool IsDottedOid(absl::string_view text) {
  const std::vector<absl::string_view> arcs = absl::StrSplit(text, '.');
  if (arcs.size() < 4 || (arcs[0] != "0" && arcs[0] != "1" && arcs[0] != "2")) return false;
  return std::all_of(arcs.begin(), arcs.end(), [](absl::string_view arc) {
    return !arc.empty() && std::all_of(arc.begin(), arc.end(), [](char c) {
      return absl::ascii_isdigit(static_cast<unsigned char>(c));
    });
  });
}

bool IsNearConditionalAccessOid(absl::string_view text) {
  constexpr std::size_t kLongest = 64;
  const std::string digits = DigitsAndDots(text);
  absl::string_view last = digits;
  if (text.size() > kLongest || !absl::ConsumePrefix(&last, kStem)) return false;
  return last == "8" || absl::StartsWith(last, "8.7") || absl::StartsWith(last, "87");
}

std::string FaultOfOid(absl::string_view text) {
  if (text == kConditionalAccessOid) return "";
  if (DigitsAndDots(text) == kConditionalAccessOid) {
    return "it has other characters than digits and dots in it";
  }
  if (absl::EndsWith(text, ".")) return "it ends with a dot";
  if (absl::StartsWith(text, absl::StrCat(kConditionalAccessOid, "."))) {
    return "it is longer by an arc, another OID";
  }
  if (absl::StartsWith(text, kConditionalAccessOid)) {
    return "its last number is longer, another OID";
  }
  return "it is another OID";
}

}  // namespace hourglass::doctor
