// The statements about refusals and events, as DecisionStore describes them, of SQLite and of
// PostgreSQL. Those that write need a transaction of the caller's, who rolls it back after an
// error.
#ifndef HOURGLASS_ISSUANCE_STORE_DECISION_TABLES_H_
#define HOURGLASS_ISSUANCE_STORE_DECISION_TABLES_H_

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/decision_rows.h"
#include "issuance/store/decision_statements.h"
#include "issuance/store/page.h"
#include "issuance/store/page_token.h"

namespace hourglass::issuance {

// `Engine` has the types of a database: Connection, Rows, Value, Text, Blob. GetTenant(Connection&,
// id) is found beside its Connection. All of it is safe to call from several threads, each with a
// connection of its own.
template <typename Engine>
class DecisionTables {
  using Connection = typename Engine::Connection;
  using Rows = typename Engine::Rows;
  using Value = typename Engine::Value;
  using Text = typename Engine::Text;
  using Blob = typename Engine::Blob;

 public:
  static absl::Status KeepRefusals(Connection& connection, absl::Span<const RefusalRecord> refusals,
                                   absl::Span<const UntoldEvent> events);
  static absl::StatusOr<Page<RefusalRecord>> ListRefusals(Connection& connection,
                                                          absl::string_view tenant_id,
                                                          const RefusalFilter& filter,
                                                          int page_size,
                                                          absl::string_view page_token);

  // The last of what a transaction writes: from here on it has the tenant's events to itself. The
  // tenant must be there.
  static absl::Status AddEvent(Connection& connection, const DecisionEvent& event);
  static absl::Status AddEventIfUntold(Connection& connection, const UntoldEvent& untold);
  static absl::StatusOr<std::vector<DecisionEvent>> ListEvents(Connection& connection,
                                                               absl::string_view tenant_id,
                                                               std::uint64_t after, int limit);
  static absl::StatusOr<std::optional<DecisionEvent>> FindEvent(Connection& connection,
                                                                absl::string_view tenant_id,
                                                                std::uint64_t sequence);
  static absl::StatusOr<std::map<std::string, std::uint64_t>> NewestEvents(Connection& connection);

  // Whether anything is dropped by these times, but perhaps a newest event.
  static absl::StatusOr<bool> HasOldDecisions(Connection& connection, Timestamp refusals_before,
                                              Timestamp events_before);
  // One portion each; whether there may be more.
  static absl::StatusOr<bool> DropRefusals(Connection& connection, Timestamp before);
  static absl::StatusOr<bool> DropEvents(Connection& connection, absl::string_view tenant_id,
                                         Timestamp before);

 private:
  static constexpr std::int64_t kPortion = 1000;

  static std::int64_t MicrosecondsOf(Timestamp time) { return time.time_since_epoch().count(); }
  static absl::Status KeepRefusal(Connection& connection, const RefusalRecord& refusal);
  // The tenants of these, each of which is there.
  static absl::Status CheckTenants(Connection& connection,
                                   absl::Span<const RefusalRecord> refusals);
  static absl::StatusOr<Rows> QueryRefusals(Connection& connection, absl::string_view tenant_id,
                                            const RefusalFilter& filter,
                                            absl::string_view folded_upn, std::int64_t before,
                                            std::int64_t limit);
  static bool IsWithin(const RefusalRecord& refusal, const RefusalFilter& filter,
                       absl::string_view folded_upn);
  // Holds the tenant's events against change until the transaction ends.
  static absl::StatusOr<std::int64_t> HoldNewest(Connection& connection,
                                                 absl::string_view tenant_id);
  static absl::Status Add(Connection& connection, const DecisionEvent& event,
                          absl::string_view folded_upn, std::int64_t sequence);
};

template <typename Engine>
absl::Status DecisionTables<Engine>::KeepRefusal(Connection& connection,
                                                 const RefusalRecord& refusal) {
  const std::string folded_upn = ca::FoldedUpn(refusal.user_upn);
  return connection
      .Change(kInsertRefusal,
              {Text{refusal.tenant_id}, Text{refusal.verdict_id}, MicrosecondsOf(refusal.at),
               Text{refusal.caller}, Text{refusal.user_id}, Text{refusal.user_upn},
               Text{refusal.device_id}, Text{refusal.request_id}, Text{refusal.policy_version},
               Blob{refusal.reasons}, Text{folded_upn}})
      .status();
}

template <typename Engine>
absl::Status DecisionTables<Engine>::CheckTenants(Connection& connection,
                                                  absl::Span<const RefusalRecord> refusals) {
  absl::string_view last;
  for (const RefusalRecord& refusal : refusals) {
    if (refusal.tenant_id != last) {
      RETURN_IF_ERROR(GetTenant(connection, refusal.tenant_id).status());
    }
    last = refusal.tenant_id;
  }
  return absl::OkStatus();
}

template <typename Engine>
absl::StatusOr<typename Engine::Rows> DecisionTables<Engine>::QueryRefusals(
    Connection& connection, absl::string_view tenant_id, const RefusalFilter& filter,
    absl::string_view folded_upn, std::int64_t before, std::int64_t limit) {
  const Value tenant = Text{tenant_id}, device = Text{filter.device_id}, user = Text{folded_upn};
  if (!filter.verdict_id.empty()) {
    return connection.Query(kSelectRefusalsByVerdict,
                            {tenant, Text{filter.verdict_id}, before, limit});
  }
  if (!filter.device_id.empty() && !folded_upn.empty()) {
    return connection.Query(kSelectRefusalsByBoth, {tenant, device, user, before, limit});
  }
  if (!filter.device_id.empty()) {
    return connection.Query(kSelectRefusalsByDevice, {tenant, device, before, limit});
  }
  if (!folded_upn.empty()) {
    return connection.Query(kSelectRefusalsByUser, {tenant, user, before, limit});
  }
  return connection.Query(kSelectRefusals, {tenant, before, limit});
}

template <typename Engine>
bool DecisionTables<Engine>::IsWithin(const RefusalRecord& refusal, const RefusalFilter& filter,
                                      absl::string_view folded_upn) {
  return (filter.device_id.empty() || refusal.device_id == filter.device_id) &&
         (folded_upn.empty() || ca::FoldedUpn(refusal.user_upn) == folded_upn);
}

template <typename Engine>
absl::StatusOr<std::int64_t> DecisionTables<Engine>::HoldNewest(Connection& connection,
                                                                absl::string_view tenant_id) {
  RETURN_IF_ERROR(connection.Change(kHoldNewestEvent, {Text{tenant_id}}).status());
  return connection.QueryInteger(kSelectNewestEvent, {Text{tenant_id}});
}

template <typename Engine>
absl::Status DecisionTables<Engine>::Add(Connection& connection, const DecisionEvent& event,
                                         absl::string_view folded_upn, std::int64_t sequence) {
  RETURN_IF_ERROR(
      connection
          .Change(kInsertEvent, {Text{event.tenant_id}, sequence, Text{NameOf(event.kind)},
                                 MicrosecondsOf(event.at), Text{event.device_id},
                                 Text{event.user_id}, Text{event.user_upn}, Text{event.verdict_id},
                                 Text{event.reason}, Blob{event.reasons}, Text{folded_upn}})
          .status());
  return connection.Change(kRaiseNewestEvent, {sequence, Text{event.tenant_id}}).status();
}

template <typename Engine>
absl::Status DecisionTables<Engine>::KeepRefusals(Connection& connection,
                                                  absl::Span<const RefusalRecord> refusals,
                                                  absl::Span<const UntoldEvent> events) {
  RETURN_IF_ERROR(CheckTenants(connection, refusals));
  for (const RefusalRecord& refusal : refusals) {
    RETURN_IF_ERROR(KeepRefusal(connection, refusal));
  }
  for (const UntoldEvent& event : events) RETURN_IF_ERROR(AddEventIfUntold(connection, event));
  return absl::OkStatus();
}

template <typename Engine>
absl::StatusOr<Page<RefusalRecord>> DecisionTables<Engine>::ListRefusals(
    Connection& connection, absl::string_view tenant_id, const RefusalFilter& filter, int page_size,
    absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(before, ParseRefusalPosition(page_token));
  }
  const std::string folded_upn = ca::FoldedUpn(filter.user_upn);
  Page<RefusalRecord> page;
  // Who is nobody is not everybody.
  if (folded_upn.empty() && !filter.user_upn.empty()) return page;
  ASSIGN_OR_RETURN(Rows rows, QueryRefusals(connection, tenant_id, filter, folded_upn, before,
                                            std::int64_t{page_size} + 1));
  ASSIGN_OR_RETURN(page, TakePage<RefusalRecord>(
                             rows, page_size, TakeRefusal<Rows>, [](const RefusalRecord& last) {
                               return RefusalPageToken(static_cast<std::int64_t>(last.sequence));
                             }));
  // Of one verdict there is one at most.
  std::erase_if(page.records, [&](const RefusalRecord& refusal) {
    return !IsWithin(refusal, filter, folded_upn);
  });
  return page;
}

template <typename Engine>
absl::Status DecisionTables<Engine>::AddEvent(Connection& connection, const DecisionEvent& event) {
  const std::string folded_upn = ca::FoldedUpn(event.user_upn);
  ASSIGN_OR_RETURN(const std::int64_t newest, HoldNewest(connection, event.tenant_id));
  return Add(connection, event, folded_upn, newest + 1);
}

template <typename Engine>
absl::Status DecisionTables<Engine>::AddEventIfUntold(Connection& connection,
                                                      const UntoldEvent& untold) {
  const DecisionEvent& event = untold.event;
  const std::string folded_upn = ca::FoldedUpn(event.user_upn);
  ASSIGN_OR_RETURN(const std::int64_t newest, HoldNewest(connection, event.tenant_id));
  ASSIGN_OR_RETURN(
      const std::int64_t is_told,
      connection.QueryInteger(kIsEventTold,
                              {Text{event.tenant_id}, MicrosecondsOf(untold.newest_intended_at),
                               Text{event.device_id}, Text{folded_upn}}));
  if (is_told != 0) return absl::OkStatus();
  return Add(connection, event, folded_upn, newest + 1);
}

template <typename Engine>
absl::StatusOr<std::vector<DecisionEvent>> DecisionTables<Engine>::ListEvents(
    Connection& connection, absl::string_view tenant_id, std::uint64_t after, int limit) {
  ASSIGN_OR_RETURN(
      Rows rows, connection.Query(kSelectEvents, {Text{tenant_id}, static_cast<std::int64_t>(after),
                                                  std::int64_t{limit}}));
  std::vector<DecisionEvent> events;
  for (;;) {
    const absl::StatusOr<bool> found = rows.Next();
    RETURN_IF_ERROR(found.status());
    if (!*found) return events;
    ASSIGN_OR_RETURN(DecisionEvent event, TakeEvent(rows));
    events.push_back(std::move(event));
  }
}

template <typename Engine>
absl::StatusOr<std::optional<DecisionEvent>> DecisionTables<Engine>::FindEvent(
    Connection& connection, absl::string_view tenant_id, std::uint64_t sequence) {
  ASSIGN_OR_RETURN(
      Rows rows,
      connection.Query(kSelectEvent, {Text{tenant_id}, static_cast<std::int64_t>(sequence)}));
  const absl::StatusOr<bool> found = rows.Next();
  RETURN_IF_ERROR(found.status());
  if (!*found) return std::optional<DecisionEvent>();
  ASSIGN_OR_RETURN(DecisionEvent event, TakeEvent(rows));
  return std::optional<DecisionEvent>(std::move(event));
}

template <typename Engine>
absl::StatusOr<std::map<std::string, std::uint64_t>> DecisionTables<Engine>::NewestEvents(
    Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectNewestEvents));
  std::map<std::string, std::uint64_t> newest;
  for (;;) {
    const absl::StatusOr<bool> found = rows.Next();
    RETURN_IF_ERROR(found.status());
    if (!*found) return newest;
    std::string tenant_id = rows.TakeOctets();
    newest[std::move(tenant_id)] = static_cast<std::uint64_t>(rows.TakeInteger());
  }
}

template <typename Engine>
absl::StatusOr<bool> DecisionTables<Engine>::HasOldDecisions(Connection& connection,
                                                             Timestamp refusals_before,
                                                             Timestamp events_before) {
  ASSIGN_OR_RETURN(const std::int64_t has_any,
                   connection.QueryInteger(kHasOldDecisions, {MicrosecondsOf(refusals_before),
                                                              MicrosecondsOf(events_before)}));
  return has_any != 0;
}

template <typename Engine>
absl::StatusOr<bool> DecisionTables<Engine>::DropRefusals(Connection& connection,
                                                          Timestamp before) {
  ASSIGN_OR_RETURN(const std::int64_t dropped,
                   connection.Change(kDeleteRefusals, {MicrosecondsOf(before), kPortion}));
  return dropped == kPortion;
}

template <typename Engine>
absl::StatusOr<bool> DecisionTables<Engine>::DropEvents(Connection& connection,
                                                        absl::string_view tenant_id,
                                                        Timestamp before) {
  ASSIGN_OR_RETURN(const std::int64_t newest,
                   connection.QueryInteger(kSelectNewestEvent, {Text{tenant_id}}));
  std::int64_t first_kept = newest;
  {
    ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectFirstKeptEvent,
                                                 {Text{tenant_id}, MicrosecondsOf(before)}));
    const absl::StatusOr<bool> found = rows.Next();
    RETURN_IF_ERROR(found.status());
    if (*found) first_kept = rows.TakeOptionalInteger().value_or(newest);
  }
  ASSIGN_OR_RETURN(const std::int64_t dropped,
                   connection.Change(kDeleteEvents, {Text{tenant_id}, first_kept, kPortion}));
  return dropped == kPortion;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_DECISION_TABLES_H_
