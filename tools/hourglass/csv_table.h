// CSV with a header line, as Excel, PowerShell and the portals of directories write it.
#ifndef HOURGLASS_TOOLS_HOURGLASS_CSV_TABLE_H_
#define HOURGLASS_TOOLS_HOURGLASS_CSV_TABLE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::cli {

struct CsvTable {
  std::vector<std::string> header;
  // Each with as many cells as the header.
  std::vector<std::vector<std::string>> rows;
};

// Reads RFC 4180: cells in quotes may have separators, line feeds and doubled quotes. The separator
// is the comma, semicolon or tab that the header has most of. A first line `#TYPE …`, as
// Export-Csv writes it, and empty lines are skipped. `text` has lines that end in LF. Errors:
// FIELD_INVALID without a field, with the line, counted from 1: no header, a quote that does not
// end or has something behind it, a row with another number of cells than the header.
absl::StatusOr<CsvTable> ParseCsv(absl::string_view text);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_CSV_TABLE_H_
