// The programs of PostgreSQL 15, where Debian puts them.
#ifndef HOURGLASS_TESTS_SUPPORT_POSTGRESQL_PROGRAMS_H_
#define HOURGLASS_TESTS_SUPPORT_POSTGRESQL_PROGRAMS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"

namespace hourglass {

// Errors: INTERNAL_ERROR, with how to install them.
absl::Status CheckPostgresqlPrograms();

// What runs `program` (`initdb`) with these arguments: as nobody where this is root (PostgreSQL
// refuses root), and ended as by a crash when the thread ends that starts it, so that what is
// killed leaves no server behind. No process stands between.
std::vector<std::string> PostgresqlCommand(const std::string& program,
                                           const std::vector<std::string>& arguments);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_POSTGRESQL_PROGRAMS_H_
