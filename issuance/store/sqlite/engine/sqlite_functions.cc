#include "issuance/store/sqlite/engine/sqlite_functions.h"

#include <sqlite3.h>

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "ca/names/name_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

void FoldedUpn(sqlite3_context* context, int count, sqlite3_value** values) {
  if (count != 1 || sqlite3_value_type(values[0]) == SQLITE_NULL) return;
  const void* const octets = sqlite3_value_blob(values[0]);
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(values[0]));
  const std::string folded =
      ca::FoldedUpn(octets == nullptr ? absl::string_view()
                                      : absl::string_view(static_cast<const char*>(octets), size));
  sqlite3_result_text64(context, folded.data(), folded.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

}  // namespace

int AddFunctions(sqlite3* database) {
  return sqlite3_create_function_v2(database, "folded_upn", 1,
                                    SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, nullptr,
                                    FoldedUpn, nullptr, nullptr, nullptr);
}

}  // namespace hourglass::issuance::sqlite
