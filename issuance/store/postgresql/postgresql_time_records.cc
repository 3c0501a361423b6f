#include "issuance/store/postgresql/postgresql_time_records.h"

#include <chrono>
#include <cstdint>
#include <utility>

#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/journal/journal_query.h"

namespace hourglass::issuance {
namespace {

using postgresql::Connection;
using postgresql::Rows;
using postgresql::Text;
using postgresql::ValueOf;

absl::StatusOr<std::optional<TimeMark>> ReadMark(Connection& connection,
                                                 const std::string& machine) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT newest_at, boot_id, reference, settled, ignored_up_to, "
                                    "acceptances FROM time_marks WHERE machine = $1",
                                    {Text{machine}}));
  if (!rows.Next()) return std::nullopt;
  TimeMark mark;
  mark.newest_at = postgresql::TakeTimestamp(rows);
  mark.boot_id = rows.TakeOctets();
  mark.reference = std::chrono::microseconds(rows.TakeInteger());
  mark.settled = rows.TakeBoolean();
  mark.ignored_up_to = postgresql::TakeTimestamp(rows);
  mark.acceptances = rows.TakeInteger();
  return mark;
}

class PostgresqlTimeRecords final : public TimeRecords {
 public:
  PostgresqlTimeRecords(postgresql::ConnectionPool* pool, std::string machine)
      : pool_(*pool), machine_(std::move(machine)) {}

  absl::StatusOr<std::optional<TimeMark>> GetMark() override {
    return pool_.Run([&](Connection& c) { return ReadMark(c, machine_); });
  }

  absl::StatusOr<TimeMark> KeepMark(const TimeMark& mark) override {
    return pool_.Write([&](Connection& c) -> absl::StatusOr<TimeMark> {
      RETURN_IF_ERROR(
          c.Change("INSERT INTO time_marks AS kept (machine, newest_at, boot_id, reference, "
                   "settled, ignored_up_to, acceptances) VALUES ($1, $2, $3, $4, $5, $6, $7) "
                   "ON CONFLICT (machine) DO UPDATE SET "
                   "newest_at = CASE kept.acceptances WHEN excluded.acceptances "
                   "THEN greatest(kept.newest_at, excluded.newest_at) ELSE excluded.newest_at END, "
                   "boot_id = excluded.boot_id, reference = excluded.reference, "
                   "settled = excluded.settled, ignored_up_to = excluded.ignored_up_to, "
                   "acceptances = excluded.acceptances "
                   "WHERE kept.acceptances <= excluded.acceptances",
                   {Text{machine_}, ValueOf(mark.newest_at), Text{mark.boot_id},
                    std::int64_t{mark.reference.count()}, mark.settled, ValueOf(mark.ignored_up_to),
                    mark.acceptances})
              .status());
      ASSIGN_OR_RETURN(const std::optional<TimeMark> kept, ReadMark(c, machine_));
      return kept.value_or(mark);
    });
  }

  absl::StatusOr<std::optional<Timestamp>> NewestIntent() override {
    return pool_.Run([](Connection& c) { return postgresql::NewestIntent(c); });
  }

  absl::StatusOr<std::optional<Timestamp>> NewestReport() override {
    return pool_.Run([](Connection& c) -> absl::StatusOr<std::optional<Timestamp>> {
      ASSIGN_OR_RETURN(Rows rows, c.Query("SELECT max(reported_at) FROM devices"));
      if (!rows.Next()) return std::nullopt;
      return postgresql::TakeOptionalTimestamp(rows);
    });
  }

 private:
  postgresql::ConnectionPool& pool_;
  const std::string machine_;
};

}  // namespace

std::unique_ptr<TimeRecords> MakePostgresqlTimeRecords(postgresql::ConnectionPool* pool,
                                                       const std::string& machine) {
  return std::make_unique<PostgresqlTimeRecords>(pool, machine);
}

}  // namespace hourglass::issuance
