#include "tools/profiles/report.h"

#include <algorithm>

#include "absl/strings/str_join.h"

namespace hourglass::profiles {
namespace {

// In a path.
constexpr std::ptrdiff_t kMostNames = 5;

doctor::Finding Make(const Rule& rule, const std::string& file, int line, std::string item,
                     absl::string_view what, absl::string_view remedy) {
  return {std::string(rule.id),     rule.severity,       std::string(what),
          std::string(rule.effect), std::string(remedy), {file, line, std::move(item)}};
}

}  // namespace

std::string PathOf(const xml::Element& element) {
  std::vector<absl::string_view> names;
  for (const xml::Element* one = &element; one != nullptr; one = one->parent) {
    names.insert(names.begin(), one->name);
  }
  // In an EAP configuration the line says more than all that is around it.
  if (static_cast<std::ptrdiff_t>(names.size()) > kMostNames) {
    names.erase(names.begin() + 1, names.end() - (kMostNames - 2));
    names.insert(names.begin() + 1, "…");
  }
  return absl::StrJoin(names, "/");
}

void Report::Add(const Rule& rule, const xml::Element& element, absl::string_view what) {
  Add(rule, element, what, rule.remedy);
}

void Report::Add(const Rule& rule, const xml::Element& element, absl::string_view what,
                 absl::string_view remedy) {
  if (is_full()) return;
  findings_.push_back(Make(rule, file_, element.line, PathOf(element), what, remedy));
}

void Report::Add(const Rule& rule, int line, absl::string_view what) {
  if (is_full()) return;
  findings_.push_back(Make(rule, file_, line, "", what, rule.remedy));
}

bool Report::Has(const Rule& rule) const {
  return std::any_of(findings_.begin(), findings_.end(),
                     [&rule](const doctor::Finding& finding) { return finding.id == rule.id; });
}

std::vector<doctor::Finding> Report::Take() {
  std::vector<doctor::Finding> findings = std::move(findings_);
  findings_.clear();
  doctor::SortFindings(findings);
  return findings;
}

}  // namespace hourglass::profiles
