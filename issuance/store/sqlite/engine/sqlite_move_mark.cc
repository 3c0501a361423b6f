#include "issuance/store/sqlite/engine/sqlite_move_mark.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_schema.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"

namespace hourglass::issuance::sqlite {
namespace {

// `HGMV`, in place of kApplicationId.
constexpr std::int64_t kMarkedApplicationId = 0x48474d56;

absl::Status SetApplication(Connection& main, std::int64_t id) {
  return main.Execute(absl::StrCat("PRAGMA application_id = ", id));
}

}  // namespace

absl::StatusOr<std::optional<MoveMark>> ReadMoveMark(Connection& main) {
  ASSIGN_OR_RETURN(const std::int64_t application, main.QueryInteger("PRAGMA application_id"));
  if (application != kMarkedApplicationId) return std::nullopt;
  ASSIGN_OR_RETURN(Rows rows,
                   main.Query("SELECT is_away, other, other_id, at, records FROM store_move"));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  MoveMark mark;
  if (!found) return std::make_optional(mark);
  mark.kind = rows.TakeInteger() != 0 ? MoveMark::Kind::kAway : MoveMark::Kind::kInto;
  mark.other = rows.TakeOctets();
  mark.other_id = rows.TakeOctets();
  mark.at = TakeTimestamp(rows);
  mark.records = rows.TakeInteger();
  return std::make_optional(std::move(mark));
}

absl::Status PutMoveMark(Connection& main, const MoveMark& mark) {
  RETURN_IF_ERROR(
      main.Execute("CREATE TABLE IF NOT EXISTS store_move ("
                   "only_row INTEGER PRIMARY KEY CHECK (only_row = 1), is_away INTEGER NOT NULL, "
                   "other TEXT NOT NULL, other_id TEXT NOT NULL, at INTEGER NOT NULL, "
                   "records INTEGER NOT NULL) STRICT"));
  RETURN_IF_ERROR(main.Change("INSERT OR REPLACE INTO store_move VALUES (1, ?, ?, ?, ?, ?)",
                              {std::int64_t{mark.kind == MoveMark::Kind::kAway}, Text{mark.other},
                               Text{mark.other_id}, ValueOf(mark.at), mark.records})
                      .status());
  return SetApplication(main, kMarkedApplicationId);
}

absl::Status RemoveMoveMark(Connection& main) {
  ASSIGN_OR_RETURN(const std::optional<MoveMark> mark, ReadMoveMark(main));
  if (!mark.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(main.Execute("DROP TABLE store_move"));
  return SetApplication(main, kApplicationId);
}

}  // namespace hourglass::issuance::sqlite
