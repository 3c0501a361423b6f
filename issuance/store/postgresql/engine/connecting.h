// A connection to one server is made.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTING_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTING_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "issuance/store/postgresql/engine/connection_parameters.h"
#include "issuance/store/postgresql/engine/deadline.h"
#include "issuance/store/postgresql/engine/libpq_handles.h"

namespace hourglass::issuance::postgresql {

// `parameters.servers` does not count. Where the server's name has several addresses they are tried
// in turn, each with an equal part of the time. The connection is non-blocking, and its notices go
// nowhere. Safe to call from several threads.
//
// Neither the environment nor files in a home folder decide anything: every option that libpq would
// take from there is given, and where one cannot be given (PGSERVICE, PGPASSWORD without a password
// here, PGHOSTADDR and PGREQUIREPEER for a socket) and the variable is set, that is an error.
// Errors: JOURNAL_UNAVAILABLE, in one line, without the password.
absl::StatusOr<PgConnection> ConnectToServer(const ConnectionParameters& parameters,
                                             const ServerAddress& server, const Deadline& deadline);

// `HOST:PORT` for messages; with brackets where the host is an IPv6 address.
std::string NameOf(const ServerAddress& server);

// JOURNAL_UNAVAILABLE: none of the servers could be used, each with its reason.
absl::Status NoServerCanBeUsed(absl::Span<const std::string> reasons);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_CONNECTING_H_
