// What an error of the server means to the store.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SERVER_ERRORS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SERVER_ERRORS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"

struct pg_result;

namespace hourglass::issuance::postgresql {

// JOURNAL_UNAVAILABLE where the server's state is to blame (the classes of
// issuance/store/postgresql/engine/connection.h, and where libpq itself gave the error, without a
// SQLSTATE), else INTERNAL_ERROR.
ErrorReason ReasonOfSqlState(absl::string_view sqlstate);

// The error of a result that is one, in the server's words. Of errors about values (class 22) the
// SQLSTATE alone: the server's words quote the value.
absl::Status ErrorOfResult(const pg_result* result);

// Whether the server ends the connection with this error, or libpq found that it is gone, or the
// session cannot write any more.
bool EndsTheConnection(const pg_result* result);

// Whether a notice is a warning, in whatever language.
bool IsWarning(const pg_result* notice);

// Whether it says that a transaction was committed here and the wait for the standby given up. Told
// by where in the server it comes from; by the English words, where it does not say.
bool SaysReplicationWaitGivenUp(const pg_result* notice);

// libpq's words in one line: without its advice, which is for people at a terminal.
std::string OneLine(absl::string_view message);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_ENGINE_SERVER_ERRORS_H_
