// The statements about relying parties, as RelyingPartyStore describes them. Those that write need
// a transaction of the caller's, in which he holds the administration (ConnectionPool::Administer)
// and which he rolls back after an error; but for NoteFetched, which is whole by itself.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_RELYING_PARTIES_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_RELYING_PARTIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"
#include "issuance/store/relying_party_store.h"

namespace hourglass::issuance::postgresql {

absl::Status AddRelyingParty(Connection& connection, const RelyingPartyRecord& party,
                             const ChangeCause& cause);
absl::StatusOr<RelyingPartyRecord> RemoveRelyingParty(Connection& connection,
                                                      absl::string_view tenant_id,
                                                      absl::string_view name,
                                                      const ChangeCause& cause);
absl::StatusOr<std::vector<RelyingPartyRecord>> ListRelyingParties(Connection& connection,
                                                                   absl::string_view tenant_id);
absl::StatusOr<RelyingPartyRecord> Acknowledge(Connection& connection,
                                               const Acknowledgement& acknowledgement,
                                               const ChangeCause& cause);
// One statement, in a transaction or without one. Where it changes nothing, no write-ahead log is
// written or waited for.
absl::Status NoteFetched(Connection& connection, absl::string_view tenant_id,
                         absl::string_view identity, std::uint64_t version, Timestamp now);

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_TABLES_POSTGRESQL_RELYING_PARTIES_H_
