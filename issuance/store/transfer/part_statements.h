// The text of the statements for parts, which SQLite and PostgreSQL mostly share.
#ifndef HOURGLASS_ISSUANCE_STORE_TRANSFER_PART_STATEMENTS_H_
#define HOURGLASS_ISSUANCE_STORE_TRANSFER_PART_STATEMENTS_H_

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "issuance/store/transfer/parts.h"

namespace hourglass::issuance {

// How a database writes what it does not share.
struct Dialect {
  // The expression that gives a column, and its name.
  std::function<std::string(const Part&, const Column&)> expression_of;
  std::function<std::string(const Column&)> name_of;
  // `?` or `$1`, for the value of this number, from 1.
  std::function<std::string(std::size_t)> value;
};

// Each column, from left to right; before one that may be nothing and is no integer, whether it is.
std::string SelectedColumns(const Dialect& dialect, const Part& part);

// `SELECT …[MORE] FROM SOURCE [WHERE key > …] ORDER BY key LIMIT …`: the values are the key after
// which the rows are, if any, and how many at most.
std::string SelectAfter(const Dialect& dialect, const Part& part, absl::string_view source,
                        bool is_after_a_row, absl::string_view more = "");

// `SELECT key FROM SOURCE ORDER BY key DESC LIMIT 1`.
std::string SelectLastKey(const Dialect& dialect, const Part& part, absl::string_view source);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_TRANSFER_PART_STATEMENTS_H_
