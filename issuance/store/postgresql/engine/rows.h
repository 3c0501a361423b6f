// What goes into a statement and what comes out of it, as C++ values.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ROWS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ROWS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/libpq_handles.h"

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
  // must be of the type that its method names; there are no others (INTERNAL_ERROR of the
  // statement): numeric, oid, timestamptz and so on need a cast.
  std::int64_t TakeInteger();  // int8, int4 or boolean
  std::optional<std::int64_t> TakeOptionalInteger();
  bool TakeBoolean();
  std::string TakeOctets();  // text, bytea or name

 private:
  friend class Connection;
  explicit Rows(PgResult result) : result_(std::move(result)) {}
  // Of the next column, big-endian; nullopt where it is NULL.
  std::optional<absl::string_view> TakeColumn();

  PgResult result_;
  int row_ = -1;
  int column_ = 0;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ROWS_H_
