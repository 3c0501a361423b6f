#include "issuance/store/transfer/part_statements.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace hourglass::issuance {
namespace {

std::vector<std::string> KeyNames(const Dialect& dialect, const Part& part,
                                  absl::string_view ending) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < part.key_size; ++i) {
    names.push_back(absl::StrCat(dialect.name_of(part.columns[i]), ending));
  }
  return names;
}

}  // namespace

std::string SelectedColumns(const Dialect& dialect, const Part& part) {
  std::vector<std::string> selected;
  for (const Column& column : part.columns) {
    const std::string expression = dialect.expression_of(part, column);
    const bool is_string = column.kind == CellKind::kText || column.kind == CellKind::kOctets;
    if (column.may_be_nothing && is_string) {
      selected.push_back(absl::StrCat(expression, " IS NULL"));
    }
    selected.push_back(expression);
  }
  return absl::StrJoin(selected, ", ");
}

std::string SelectAfter(const Dialect& dialect, const Part& part, absl::string_view source,
                        bool is_after_a_row, absl::string_view more) {
  std::string sql = absl::StrCat("SELECT ", SelectedColumns(dialect, part), more, " FROM ", source);
  std::size_t values = 0;
  if (is_after_a_row) {
    std::vector<std::string> key;
    while (values < part.key_size) key.push_back(dialect.value(++values));
    absl::StrAppend(&sql, " WHERE ", "(", absl::StrJoin(KeyNames(dialect, part, ""), ", "), ") > (",
                    absl::StrJoin(key, ", "), ")");
  }
  absl::StrAppend(&sql, " ORDER BY ", absl::StrJoin(KeyNames(dialect, part, ""), ", "), " LIMIT ",
                  dialect.value(++values));
  return sql;
}

std::string SelectLastKey(const Dialect& dialect, const Part& part, absl::string_view source) {
  return absl::StrCat("SELECT ", absl::StrJoin(KeyNames(dialect, part, ""), ", "), " FROM ", source,
                      " ORDER BY ", absl::StrJoin(KeyNames(dialect, part, " DESC"), ", "),
                      " LIMIT 1");
}

}  // namespace hourglass::issuance
