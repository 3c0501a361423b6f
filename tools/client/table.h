// Aligned text for people: tables of rows, and lists of labelled facts.
#ifndef HOURGLASS_TOOLS_CLIENT_TABLE_H_
#define HOURGLASS_TOOLS_CLIENT_TABLE_H_

#include <string>
#include <utility>
#include <vector>

namespace hourglass::client {

// `rows` under `header`, columns aligned and two spaces apart, each line ended by a newline and
// without trailing spaces. Cells are made Printable, and
// blanks at their ends shown as `\x20`. Every row has as many cells as the
// header.
std::string FormatTable(const std::vector<std::string>& header,
                        const std::vector<std::vector<std::string>>& rows);

// A label and what it says; the second of the pair may be empty, and is then left out.
using Facts = std::vector<std::pair<std::string, std::string>>;

// One line for each fact, indented by two spaces, the values aligned and made Printable.
std::string FormatFacts(const Facts& facts);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_TABLE_H_
