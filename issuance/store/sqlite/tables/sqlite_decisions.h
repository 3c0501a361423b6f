// The statements about refusals and events, as DecisionStore describes them. Those that write need
// a transaction of the caller's, who rolls it back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DECISIONS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DECISIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/page.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

absl::Status KeepRefusals(Connection& connection, absl::Span<const RefusalRecord> refusals,
                          absl::Span<const UntoldEvent> events);
absl::StatusOr<Page<RefusalRecord>> ListRefusals(Connection& connection,
                                                 absl::string_view tenant_id,
                                                 const RefusalFilter& filter, int page_size,
                                                 absl::string_view page_token);

// The last of what a transaction writes: from here on it has the tenant's events to itself. The
// tenant must be there.
absl::Status AddEvent(Connection& connection, const DecisionEvent& event);
absl::Status AddEventIfUntold(Connection& connection, const UntoldEvent& event);
absl::StatusOr<std::vector<DecisionEvent>> ListEvents(Connection& connection,
                                                      absl::string_view tenant_id,
                                                      std::uint64_t after, int limit);
absl::StatusOr<std::optional<DecisionEvent>> FindEvent(Connection& connection,
                                                       absl::string_view tenant_id,
                                                       std::uint64_t sequence);
absl::StatusOr<std::map<std::string, std::uint64_t>> NewestEvents(Connection& connection);

// Whether anything is dropped by these times, but perhaps a newest event.
absl::StatusOr<bool> HasOldDecisions(Connection& connection, Timestamp refusals_before,
                                     Timestamp events_before);
// One portion each; whether there may be more.
absl::StatusOr<bool> DropRefusals(Connection& connection, Timestamp before);
absl::StatusOr<bool> DropEvents(Connection& connection, absl::string_view tenant_id,
                                Timestamp before);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_DECISIONS_H_
