// What goes into a statement and what comes out of it, as C++ values.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ROWS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ROWS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"

struct pg_result;

namespace hourglass::issuance::postgresql {

// UTF-8 without NUL, as `text`.
struct Text {
  absl::string_view octets;
};
// Any octets, as `bytea`.
struct Blob {
  absl::string_view octets;
};
// What `$1` and so on of a statement stand for: `boolean`, `bigint`, `text`, `bytea`; monostate is
// NULL, whose type the statement must tell.
using Value = std::variant<std::monostate, bool, std::int64_t, Text, Blob>;

// A statement and its values, whose octets must live until it has run.
struct Statement {
  absl::string_view sql;
  std::vector<Value> values = {};
};

// All rows that a statement gave; they need no connection any more. For one thread at a time.
class Rows {
 public:
  // Moves to the next row, and to its first column; false after the last one.
  bool Next();
  // How many rows the statement inserted, updated, deleted or gave.
  std::int64_t count() const;

  // Each takes one column of the current row, from left to right. NULL is 0, false and "". A column
  // must be of the type that its method names.
  std::int64_t TakeInteger();  // int8 or int4
  std::optional<std::int64_t> TakeOptionalInteger();
  bool TakeBoolean();
  std::string TakeOctets();  // text or bytea

 private:
  friend class Connection;
  struct Clear {
    void operator()(pg_result* result) const;
  };
  explicit Rows(pg_result* result) : result_(result) {}

  std::unique_ptr<pg_result, Clear> result_;
  int row_ = -1;
  int column_ = 0;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ROWS_H_
