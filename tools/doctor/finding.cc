#include "tools/doctor/finding.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "ca/text/visible_text.h"

namespace hourglass::doctor {
namespace {

using Json = nlohmann::ordered_json;

std::ptrdiff_t CountOf(absl::Span<const Finding> findings, Severity severity) {
  return std::count_if(findings.begin(), findings.end(),
                       [severity](const Finding& finding) { return finding.severity == severity; });
}

// `2 errors`.
std::string Counted(std::ptrdiff_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

// `file:line: item: `, of what is known.
std::string PlaceInWords(const Place& place) {
  std::string words = ca::VisibleText(place.file);
  if (place.line > 0) absl::StrAppend(&words, words.empty() ? "line " : ":", place.line);
  if (!words.empty()) words += ": ";
  if (!place.item.empty()) absl::StrAppend(&words, ca::VisibleText(place.item), ": ");
  return words;
}

std::string FindingInWords(const Finding& finding) {
  std::string words =
      absl::StrCat(absl::AsciiStrToUpper(SeverityName(finding.severity)), " ",
                   PlaceInWords(finding.place), ca::VisibleText(finding.what), "\n");
  if (!finding.effect.empty()) {
    absl::StrAppend(&words, "  effect: ", ca::VisibleText(finding.effect), "\n");
  }
  if (!finding.remedy.empty()) {
    absl::StrAppend(&words, "  remedy: ", ca::VisibleText(finding.remedy), "\n");
  }
  return words;
}

}  // namespace

absl::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return "note";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "error";
}

bool HasMistake(absl::Span<const Finding> findings) {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.severity != Severity::kNote; });
}

void SortFindings(std::vector<Finding>& findings) {
  const auto key = [](const Finding& finding) {
    return std::tie(finding.place.file, finding.place.line, finding.place.item);
  };
  std::stable_sort(findings.begin(), findings.end(), [&key](const Finding& a, const Finding& b) {
    return key(a) != key(b) ? key(a) < key(b) : a.severity > b.severity;
  });
}

std::string FindingsInWords(absl::Span<const Finding> findings) {
  std::string words;
  for (const Finding& finding : findings) words += FindingInWords(finding);
  absl::StrAppend(&words, Counted(CountOf(findings, Severity::kError), "error"), ", ",
                  Counted(CountOf(findings, Severity::kWarning), "warning"), ", ",
                  Counted(CountOf(findings, Severity::kNote), "note"), "\n");
  return words;
}

Json FindingsAsJson(absl::Span<const Finding> findings) {
  Json all = Json::array();
  for (const Finding& finding : findings) {
    Json one = {{"id", finding.id}, {"severity", std::string(SeverityName(finding.severity))}};
    if (!finding.place.file.empty()) one["file"] = finding.place.file;
    if (finding.place.line > 0) one["line"] = finding.place.line;
    if (!finding.place.item.empty()) one["item"] = finding.place.item;
    one["what"] = finding.what;
    if (!finding.effect.empty()) one["effect"] = finding.effect;
    if (!finding.remedy.empty()) one["remedy"] = finding.remedy;
    all.push_back(std::move(one));
  }
  return all;
}

Json ReportAsJson(absl::Span<const Finding> findings) {
  return {{"errors", CountOf(findings, Severity::kError)},
          {"warnings", CountOf(findings, Severity::kWarning)},
          {"notes", CountOf(findings, Severity::kNote)},
          {"findings", FindingsAsJson(findings)}};
}

}  // namespace hourglass::doctor
