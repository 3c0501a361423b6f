#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tools/bench/report/report.h"

namespace hourglass::bench {
namespace {

using Row = std::vector<std::string>;

// Three digits that mean something, or all before the point.
std::string Number(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 100) return absl::StrFormat("%.0f", value);
  if (size >= 10) return absl::StrFormat("%.1f", value);
  return size >= 1 ? absl::StrFormat("%.2f", value) : absl::StrFormat("%.3f", value);
}

std::string Bound(const Target& target) {
  return absl::StrCat(target.at_most ? "≤ " : "≥ ", absl::StrFormat("%g", target.bound));
}

std::string VerdictOf(const Figure& figure, bool quick) {
  if (!figure.target.has_value()) return "";
  if (quick) return "not judged";
  return *figure.Met() ? "met" : "missed";
}

Row RowOf(const Figure& figure, bool quick) {
  const bool other = figure.target.has_value() && figure.judged.has_value();
  return {figure.name,
          absl::StrCat(Number(figure.value), " ", figure.unit),
          figure.floor.has_value() ? absl::StrCat(Number(*figure.floor), " ", figure.unit) : "",
          figure.floor_is,
          other                      ? Number(*figure.judged)
          : figure.floor.has_value() ? Number(figure.value / *figure.floor)
                                     : "",
          figure.target.has_value() ? Bound(TargetOf(*figure.target)) : "",
          VerdictOf(figure, quick)};
}

Row RowOf(const Verdict& verdict) {
  return {verdict.target.figure, verdict.judged.has_value() ? Number(*verdict.judged) : "",
          Bound(verdict.target), verdict.words};
}

// The first column's head is the section's name.
struct Section {
  Row head;
  std::vector<Row> rows;
};

// In the order in which the sections' first figures came; last the targets.
std::vector<Section> SectionsOf(const Report& report) {
  std::vector<Section> sections;
  const auto section_of = [&sections](const std::string& title) -> Section& {
    for (Section& section : sections) {
      if (section.head[0] == title) return section;
    }
    return sections.emplace_back(
        Section{{title, "value", "floor", "the floor is", "ratio", "target", ""}, {}});
  };
  for (const Figure& figure : report.figures()) {
    section_of(figure.section).rows.push_back(RowOf(figure, report.setting().quick));
  }
  Section targets{{"targets", "figure", "target", ""}, {}};
  for (const Verdict& verdict : report.Verdicts()) targets.rows.push_back(RowOf(verdict));
  sections.push_back(std::move(targets));
  return sections;
}

// Numbers line up at their right ends, words at their left ones.
bool IsNumeric(const std::string& head) {
  return head == "value" || head == "floor" || head == "ratio" || head == "figure" ||
         head == "target";
}

// Characters, which are what takes room on the screen, not octets.
std::size_t Width(const std::string& text) {
  std::size_t width = 0;
  for (const char octet : text) width += (static_cast<unsigned char>(octet) & 0xc0) != 0x80;
  return width;
}

std::string Line(const Row& row, const Row& head, const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string padding(widths[i] - Width(row[i]), ' ');
    absl::StrAppend(&line, "  ", IsNumeric(head[i]) ? padding + row[i] : row[i] + padding);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line.substr(2) + "\n";
}

std::string TextOf(const Section& section) {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < section.head.size(); ++i) {
    widths.push_back(Width(section.head[i]));
    for (const Row& row : section.rows) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text = Line(section.head, section.head, widths);
  for (const Row& row : section.rows) text += Line(row, section.head, widths);
  return text + "\n";
}

std::string MarkdownOf(const Section& section, bool numbers = false) {
  std::vector<std::string> rules;
  for (const std::string& head : section.head) {
    rules.push_back(IsNumeric(head) || (numbers && !rules.empty()) ? "--:" : "---");
  }
  std::string text = absl::StrCat("| ", absl::StrJoin(section.head, " | "), " |\n|",
                                  absl::StrJoin(rules, "|"), "|\n");
  for (const Row& row : section.rows) {
    absl::StrAppend(&text, "| ", absl::StrJoin(row, " | "), " |\n");
  }
  return text + "\n";
}

// The picture and, of bars, their parts: a row a series, a column a bar.
std::string MarkdownOf(const Chart& chart) {
  std::string text = absl::StrCat("![", chart.title, ". ", chart.alternative, "](images/",
                                  chart.name, ".svg)\n\n");
  if (chart.bars.empty()) return text;
  Section parts{{chart.x.label}, {}};
  parts.head.insert(parts.head.end(), chart.bars.begin(), chart.bars.end());
  for (const Series& series : chart.series) {
    Row row = {series.name};
    for (const double part : series.y) row.push_back(Number(part));
    parts.rows.push_back(std::move(row));
  }
  return text + MarkdownOf(parts, true);
}

// `3 met, 1 missed, 10 not measured`
std::string CountOf(const std::vector<Verdict>& verdicts) {
  std::vector<std::string> parts;
  for (const char* const words : {"met", "missed", "not judged", "not measured"}) {
    const auto count = std::count_if(verdicts.begin(), verdicts.end(),
                                     [words](const Verdict& v) { return v.words == words; });
    if (count > 0 || parts.size() < 2) parts.push_back(absl::StrCat(count, " ", words));
  }
  return absl::StrJoin(parts, ", ") + "\n";
}

std::string HeadOf(const Setting& setting) {
  return absl::StrFormat("%s, %d cores, load %.2f, %s, %s build%s, %s\n", setting.processor,
                         setting.cores, setting.load, setting.kernel,
                         setting.optimised ? "optimised" : "NOT optimised",
                         setting.quick ? ", quick run" : "", setting.date);
}

std::string WarningsOf(const Report& report, absl::string_view before) {
  std::string text;
  for (const std::string& warning : report.setting().Warnings()) {
    absl::StrAppend(&text, before, "warning: ", warning, "\n");
  }
  for (const std::string& failure : report.failures()) {
    absl::StrAppend(&text, before, "FAILED: ", failure, "\n");
  }
  return text;
}

}  // namespace

std::string Report::Table() const {
  std::string text = HeadOf(setting_) + WarningsOf(*this, "") + "\n";
  for (const Section& section : SectionsOf(*this)) text += TextOf(section);
  return text + CountOf(Verdicts());
}

std::string Report::Markdown() const {
  std::string text = HeadOf(setting_) + "\n" + WarningsOf(*this, "- ") + "\n";
  for (const Section& section : SectionsOf(*this)) text += MarkdownOf(section);
  text += CountOf(Verdicts());
  for (const Chart& chart : charts_) text += "\n" + MarkdownOf(chart);
  absl::StripTrailingAsciiWhitespace(&text);
  return text + "\n";
}

}  // namespace hourglass::bench
