// How fields of records are written as SQL values and read back.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_POSTGRESQL_VALUES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_POSTGRESQL_VALUES_H_

#include <chrono>
#include <cstdint>
#include <optional>

#include "issuance/store/postgresql/engine/rows.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

// Timestamps are microseconds, times of certificates seconds since 1970-01-01 UTC.
inline Value ValueOf(Timestamp time) { return std::int64_t{time.time_since_epoch().count()}; }
inline Value ValueOf(ca::Time time) { return std::int64_t{time.time_since_epoch().count()}; }
template <typename T>
Value ValueOf(const std::optional<T>& time) {
  return time.has_value() ? ValueOf(*time) : Value();
}
// A number beyond 2^63 - 1 becomes a negative one, which equals none that is stored.
inline Value ValueOf(std::uint64_t number) { return static_cast<std::int64_t>(number); }

inline Timestamp TakeTimestamp(Rows& rows) {
  return Timestamp(std::chrono::microseconds(rows.TakeInteger()));
}
inline std::optional<Timestamp> TakeOptionalTimestamp(Rows& rows) {
  const std::optional<std::int64_t> microseconds = rows.TakeOptionalInteger();
  if (!microseconds.has_value()) return std::nullopt;
  return Timestamp(std::chrono::microseconds(*microseconds));
}
inline ca::Time TakeTime(Rows& rows) { return ca::Time(std::chrono::seconds(rows.TakeInteger())); }

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_POSTGRESQL_VALUES_H_
