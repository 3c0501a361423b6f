#include "tools/client/table.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/client/wording.h"

namespace hourglass::client {
namespace {

// Characters, counted by the first octet of each: good enough where names are not East Asian or
// combined.
std::size_t Width(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// Blanks at the ends, which nobody sees in a table, are shown too.
std::string PrintableCell(absl::string_view text) {
  std::string blanks_shown;
  const std::size_t first = std::min(text.find_first_not_of(' '), text.size());
  const std::size_t end = text.find_last_not_of(' ') + 1;
  for (std::size_t i = 0; i < first; ++i) blanks_shown += "\\x20";
  if (first < end) blanks_shown += Printable(text.substr(first, end - first));
  for (std::size_t i = std::max(first, end); i < text.size(); ++i) blanks_shown += "\\x20";
  return blanks_shown;
}

void AppendPadded(const std::string& cell, std::size_t width, std::string& line) {
  line += cell;
  line.append(width - Width(cell), ' ');
}

}  // namespace

std::string FormatTable(const std::vector<std::string>& header,
                        const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> lines = {header};
  for (const auto& row : rows) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const std::string& cell : row) line.push_back(PrintableCell(cell));
  }
  std::vector<std::size_t> widths(header.size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], Width(line[i]));
  }
  std::string text;
  for (const auto& cells : lines) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) AppendPadded(cells[i], widths[i] + 2, line);
    absl::StrAppend(&text, absl::StripTrailingAsciiWhitespace(line), "\n");
  }
  return text;
}

std::string FormatFacts(const Facts& facts) {
  std::size_t width = 0;
  for (const auto& [label, value] : facts) {
    if (!value.empty()) width = std::max(width, Width(label));
  }
  std::string text;
  for (const auto& [label, value] : facts) {
    if (value.empty()) continue;
    text += "  ";
    AppendPadded(label, width + 2, text);
    absl::StrAppend(&text, PrintableCell(value), "\n");
  }
  return text;
}

}  // namespace hourglass::client
