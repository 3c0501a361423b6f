// The statements about relying parties, as RelyingPartyStore describes them. Those that write need
// a transaction of the caller's, who rolls it back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_RELYING_PARTIES_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_RELYING_PARTIES_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/records.h"
#include "issuance/store/relying_party_store.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

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
// Whether NoteFetched would change something, as far as is known before its transaction. Errors: as
// NoteFetched.
absl::StatusOr<bool> IsNewlyFetched(Connection& connection, absl::string_view tenant_id,
                                    absl::string_view identity, std::uint64_t version);
absl::Status NoteFetched(Connection& connection, absl::string_view tenant_id,
                         absl::string_view identity, std::uint64_t version, Timestamp now);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_RELYING_PARTIES_H_
