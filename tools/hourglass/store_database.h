// The service's database as an administrator reaches it: as the role that owns its tables.
#ifndef HOURGLASS_TOOLS_HOURGLASS_STORE_DATABASE_H_
#define HOURGLASS_TOOLS_HOURGLASS_STORE_DATABASE_H_

#include <CLI/CLI.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "issuance/config/config.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {

// The section `store.postgresql` of a service's configuration, without a look at the files that it
// names, which may be of another account. Errors: CONFIGURATION_INVALID, also without the section.
absl::StatusOr<issuance::PostgresqlConfig> ReadDatabase(const std::string& file);

// As `owner`, by the password in a file, if any is named, and without the service's own
// certificate. `program` is what pg_stat_activity shows. Errors: CONFIGURATION_INVALID.
absl::StatusOr<issuance::postgresql::ConnectionParameters> OwnersConnection(
    issuance::PostgresqlConfig config, const std::string& owner, const std::string& password_file,
    const std::string& program);

// The verbs of `store` that move it. `line` must outlive `noun`.
void AddStoreMove(CLI::App& noun, CommandLine& line);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_STORE_DATABASE_H_
