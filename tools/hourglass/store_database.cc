#include "tools/hourglass/store_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/server/store_connection.h"
#include "issuance/yaml/file.h"

namespace hourglass::cli {

namespace postgresql = issuance::postgresql;

absl::StatusOr<issuance::PostgresqlConfig> ReadDatabase(const std::string& file) {
  ASSIGN_OR_RETURN(const std::string text, yaml::ReadConfigurationFile(file));
  ASSIGN_OR_RETURN(const issuance::Config config, issuance::ParseConfig(text, file));
  if (config.store.postgresql.has_value()) return *config.store.postgresql;
  return Error(
      ErrorReason::kConfigurationInvalid, "store",
      absl::StrCat(file, " names no PostgreSQL: its store is SQLite, which needs no preparation"));
}

absl::StatusOr<postgresql::ConnectionParameters> OwnersConnection(issuance::PostgresqlConfig config,
                                                                  const std::string& owner,
                                                                  const std::string& password_file,
                                                                  const std::string& program) {
  config.user = owner;
  config.password_file.clear();
  config.certificate_file.clear();
  config.key_file.clear();
  ASSIGN_OR_RETURN(postgresql::ConnectionParameters connection, issuance::ConnectionOf(config));
  connection.application_name = program;
  if (password_file.empty()) return connection;
  absl::StatusOr<std::string> password = issuance::ReadPasswordFile(password_file);
  if (!password.ok()) {
    return Error(ErrorReason::kConfigurationInvalid, "--owner-password-file",
                 password.status().message());
  }
  connection.password = *std::move(password);
  return connection;
}

}  // namespace hourglass::cli
