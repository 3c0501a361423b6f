// What the time guard remembers, in the SQLite store.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_TIME_RECORDS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_TIME_RECORDS_H_

#include <chrono>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/time_records.h"

namespace hourglass::issuance {

// Of the store at `path`, which OpenSqliteStore has opened or brought up to date before, by a
// connection of its own: no other work makes it wait but a commit. Errors: JOURNAL_UNAVAILABLE with
// a message that begins with the path.
absl::StatusOr<std::unique_ptr<TimeRecords>> OpenSqliteTimeRecords(
    absl::string_view path, std::chrono::milliseconds busy_timeout = std::chrono::seconds(5));

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_SQLITE_TIME_RECORDS_H_
