// `hourglassd --check-database`.
#ifndef HOURGLASS_TOOLS_HOURGLASSD_DATABASE_CHECK_H_
#define HOURGLASS_TOOLS_HOURGLASSD_DATABASE_CHECK_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "issuance/config/config.h"

namespace hourglass {

struct DatabaseCheck {
  std::vector<std::string> findings;  // one a line; empty where nothing is wrong
  std::string sound;                  // what to say then, without a line feed
};

// Of SQLite every octet, which may take minutes; for a service that is stopped. Of PostgreSQL
// whether the service could use it now, which changes nothing and takes a moment; its octets are
// for PostgreSQL's own checksums. Errors: JOURNAL_UNAVAILABLE, CONFIGURATION_INVALID.
absl::StatusOr<DatabaseCheck> CheckConfiguredDatabase(const issuance::Config& config);

}  // namespace hourglass

#endif  // HOURGLASS_TOOLS_HOURGLASSD_DATABASE_CHECK_H_
