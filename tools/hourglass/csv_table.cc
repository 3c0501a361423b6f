#include "tools/hourglass/csv_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::cli {
namespace {

char SeparatorOf(absl::string_view header) {
  const auto count = [header](char c) { return std::count(header.begin(), header.end(), c); };
  char separator = ',';
  for (const char other : {';', '\t'}) {
    if (count(other) > count(separator)) separator = other;
  }
  return separator;
}

class Reader {
 public:
  Reader(absl::string_view text, int line, char separator)
      : left_(text), line_(line), separator_(separator) {}

  bool AtEnd() const { return left_.empty(); }
  int line() const { return line_; }

  // One row, with the line feed behind it.
  absl::StatusOr<std::vector<std::string>> TakeRow() {
    std::vector<std::string> row;
    for (;;) {
      ASSIGN_OR_RETURN(std::string cell, TakeCell());
      row.push_back(std::move(cell));
      if (left_.empty()) return row;
      const char end = TakeCharacter();
      if (end == '\n') return row;
    }
  }

 private:
  char TakeCharacter() {
    const char c = left_.front();
    left_.remove_prefix(1);
    if (c == '\n') ++line_;
    return c;
  }

  bool AtEndOfCell() const {
    return left_.empty() || left_.front() == separator_ || left_.front() == '\n';
  }

  absl::StatusOr<std::string> TakeCell() {
    std::string cell;
    if (left_.empty() || left_.front() != '"') {
      while (!AtEndOfCell()) cell += TakeCharacter();
      return cell;
    }
    const int begun = line_;
    TakeCharacter();
    for (;;) {
      if (left_.empty()) return Mistake(begun, "a quote does not end");
      const char c = TakeCharacter();
      if (c != '"') {
        cell += c;
      } else if (absl::StartsWith(left_, "\"")) {
        cell += TakeCharacter();
      } else if (AtEndOfCell()) {
        return cell;
      } else {
        return Mistake(line_, "something stands behind a quote");
      }
    }
  }

  static absl::Status Mistake(int line, absl::string_view what) {
    return Error(ErrorReason::kFieldInvalid, "", absl::StrCat("line ", line, ": ", what));
  }

  absl::string_view left_;
  int line_;
  const char separator_;
};

// The lines before the header.
int SkipTo(absl::string_view& text) {
  int line = 1;
  while (absl::StartsWith(text, "\n") || absl::StartsWith(text, "#TYPE")) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    ++line;
  }
  return line;
}

}  // namespace

absl::StatusOr<CsvTable> ParseCsv(absl::string_view text) {
  const int first = SkipTo(text);
  Reader reader(text, first, SeparatorOf(text.substr(0, text.find('\n'))));
  if (reader.AtEnd()) {
    return Error(ErrorReason::kFieldInvalid, "", "has no line that names its columns");
  }
  CsvTable table;
  ASSIGN_OR_RETURN(table.header, reader.TakeRow());
  while (!reader.AtEnd()) {
    const int line = reader.line();
    ASSIGN_OR_RETURN(std::vector<std::string> row, reader.TakeRow());
    if (row.size() == 1 && row.front().empty()) continue;
    if (row.size() != table.header.size()) {
      return Error(ErrorReason::kFieldInvalid, "",
                   absl::StrCat("line ", line, ": has ", row.size(), " cells, and the header ",
                                table.header.size()));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace hourglass::cli
