// Names of servers become addresses, in bounded time: libpq's own lookup has no bound.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ADDRESS_LOOKUP_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ADDRESS_LOOKUP_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "issuance/store/postgresql/engine/deadline.h"

namespace hourglass::issuance::postgresql {

// The addresses of `host`, a name or an address, as numbers, in the resolver's order and each once.
// Safe to call from several threads. A name is looked up on a thread of its own, which is left to
// itself when the deadline passes: at most eight of these in a process at once. Errors:
// JOURNAL_UNAVAILABLE, where there is no address, no answer in time, or too many lookups hang.
absl::StatusOr<std::vector<std::string>> LookUpAddresses(const std::string& host,
                                                         const Deadline& deadline);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_ADDRESS_LOOKUP_H_
