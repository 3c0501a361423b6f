#include "issuance/store/postgresql/engine/libpq_handles.h"

#include <libpq-fe.h>

namespace hourglass::issuance::postgresql {

void FinishConnection::operator()(pg_conn* connection) const { PQfinish(connection); }

void ClearResult::operator()(pg_result* result) const { PQclear(result); }

}  // namespace hourglass::issuance::postgresql
