#include "tools/doctor/nps_conditions.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hourglass::doctor {
namespace {

constexpr absl::string_view kVirtual = "5";  // NAS-Port-Type of a VPN (RFC 2865 section 5.41)

bool IsNumber(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
}

// A regular expression over NAS-Port-Type in the forms that the console writes: `^5$|^15$`.
NpsMatch MatchOfPortType(absl::string_view pattern) {
  bool understood = true;
  for (absl::string_view choice : absl::StrSplit(pattern, '|')) {
    absl::ConsumePrefix(&choice, "^");
    absl::ConsumeSuffix(&choice, "$");
    if (choice == kVirtual) return NpsMatch::kAlways;
    understood = understood && IsNumber(choice);
  }
  return understood ? NpsMatch::kNever : NpsMatch::kNotUnderstood;
}

// `0 00:00-24:00; 1 00:00-24:00; …`: days from 0, all seven and all of each.
NpsMatch MatchOfTime(absl::string_view days) {
  bool whole[7] = {};
  for (absl::string_view day : absl::StrSplit(days, ';')) {
    day = absl::StripAsciiWhitespace(day);
    if (day.size() == 13 && day[0] >= '0' && day[0] <= '6' && day.substr(1) == " 00:00-24:00") {
      whole[day[0] - '0'] = true;
    }
  }
  return std::all_of(std::begin(whole), std::end(whole), [](bool is) { return is; })
             ? NpsMatch::kAlways
             : NpsMatch::kSometimes;
}

// What stands in `NAME("…")`; false where the condition is of another form.
bool TakeArgument(absl::string_view condition, absl::string_view name,
                  absl::string_view* argument) {
  if (!absl::ConsumePrefix(&condition, absl::StrCat(name, "(\"")) ||
      !absl::ConsumeSuffix(&condition, "\")")) {
    return false;
  }
  *argument = condition;
  return true;
}

}  // namespace

NpsMatch MatchOfCondition(absl::string_view condition) {
  condition = absl::StripAsciiWhitespace(condition);
  absl::string_view argument;
  if (TakeArgument(condition, "TIMEOFDAY", &argument)) return MatchOfTime(argument);
  if (TakeArgument(condition, "NTGROUPS", &argument) ||
      TakeArgument(condition, "USERNTGROUPS", &argument)) {
    return NpsMatch::kSometimes;
  }
  if (!TakeArgument(condition, "MATCH", &argument)) return NpsMatch::kNotUnderstood;
  if (absl::ConsumePrefix(&argument, "NAS-Port-Type=")) return MatchOfPortType(argument);
  return absl::StrContains(argument, "=") ? NpsMatch::kSometimes : NpsMatch::kNotUnderstood;
}

NpsMatch MatchOfConditions(const std::vector<std::string>& conditions) {
  NpsMatch all = NpsMatch::kAlways;
  for (const std::string& condition : conditions) {
    const NpsMatch match = MatchOfCondition(condition);
    if (match == NpsMatch::kNever) return NpsMatch::kNever;
    if (match == NpsMatch::kNotUnderstood) all = match;
    if (match == NpsMatch::kSometimes && all == NpsMatch::kAlways) all = match;
  }
  return all;
}

bool AsksForRras(const std::vector<std::string>& conditions) {
  return std::any_of(conditions.begin(), conditions.end(), [](const std::string& condition) {
    return absl::StrContains(condition, "MS-RAS-Vendor=") && absl::StrContains(condition, "311");
  });
}

}  // namespace hourglass::doctor
