// What a cell says of a tenant once all is over.
#ifndef HOURGLASS_TESTS_CHAOS_DUMP_H_
#define HOURGLASS_TESTS_CHAOS_DUMP_H_

#include <string>

#include "absl/status/statusor.h"
#include "tests/chaos/cell.h"
#include "tests/history/history.h"

namespace hourglass::chaos {

// As this replica of the service tells it to an auditor. Revision and times of commit, which the
// service does not tell, are the database's. Errors: INTERNAL_ERROR with the service's words; those
// of the database.
absl::StatusOr<history::TenantHistory> ReadTenant(const Cell& cell, PostgresqlCluster& database,
                                                  int replica, const std::string& tenant_id);

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_DUMP_H_
