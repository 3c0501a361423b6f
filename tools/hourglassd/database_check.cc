#include "tools/hourglassd/database_check.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/server/store_check.h"
#include "issuance/store/sqlite/sqlite_check.h"
#include "issuance/store/sqlite/sqlite_store.h"

namespace hourglass {
namespace {

absl::StatusOr<DatabaseCheck> CheckSqlite(const std::string& data_directory) {
  const std::string path = issuance::SqliteStorePath(data_directory);
  DatabaseCheck check;
  ASSIGN_OR_RETURN(check.findings, issuance::CheckSqliteStore(path));
  check.sound = absl::StrCat(path, ": the database is sound");
  return check;
}

std::string StandbysInWords(const issuance::DatabaseRecord& database) {
  if (database.synchronous_standby_names.empty()) return "no synchronous standby (waived)";
  return absl::StrCat("synchronous_standby_names ", database.synchronous_standby_names);
}

}  // namespace

absl::StatusOr<DatabaseCheck> CheckConfiguredDatabase(const issuance::Config& config) {
  if (!config.store.postgresql.has_value()) return CheckSqlite(config.data_directory);
  ASSIGN_OR_RETURN(const issuance::DatabaseRecord database,
                   issuance::CheckPostgresqlStore(*config.store.postgresql));
  DatabaseCheck check;
  check.sound = absl::StrCat(database.address, ": PostgreSQL ", database.version, ", timeline ",
                             database.timeline, ", system identifier ", database.system_identifier,
                             ", ", StandbysInWords(database), ": the service can use database ",
                             config.store.postgresql->database);
  return check;
}

}  // namespace hourglass
