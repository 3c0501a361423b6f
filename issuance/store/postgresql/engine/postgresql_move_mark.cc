#include "issuance/store/postgresql/engine/postgresql_move_mark.h"

#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"

namespace hourglass::issuance::postgresql {

absl::StatusOr<std::optional<MoveMark>> ReadMoveMark(Connection& connection) {
  ASSIGN_OR_RETURN(
      Rows rows, connection.Query("SELECT is_away, other, other_id, at, records FROM store_move"));
  if (!rows.Next()) return std::nullopt;
  MoveMark mark;
  mark.kind = rows.TakeBoolean() ? MoveMark::Kind::kAway : MoveMark::Kind::kInto;
  mark.other = rows.TakeOctets();
  mark.other_id = rows.TakeOctets();
  mark.at = TakeTimestamp(rows);
  mark.records = rows.TakeInteger();
  return mark;
}

absl::Status CheckNotMarked(Connection& connection) {
  ASSIGN_OR_RETURN(const std::optional<MoveMark> mark, ReadMoveMark(connection));
  return mark.has_value() ? RefuseMarked(*mark) : absl::OkStatus();
}

absl::Status PutMoveMark(Connection& owner, const MoveMark& mark) {
  return owner
      .Change(
          "INSERT INTO store_move (is_away, other, other_id, at, records) "
          "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (only_row) DO UPDATE SET "
          "is_away = excluded.is_away, other = excluded.other, other_id = excluded.other_id, "
          "at = excluded.at, records = excluded.records",
          {mark.kind == MoveMark::Kind::kAway, Text{mark.other}, Text{mark.other_id},
           ValueOf(mark.at), mark.records})
      .status();
}

absl::Status RemoveMoveMark(Connection& owner) {
  return owner.Change("DELETE FROM store_move").status();
}

}  // namespace hourglass::issuance::postgresql
