#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"

#include <cstdint>
#include <limits>
#include <vector>

#include "hsm/base/status_macros.h"
#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"

namespace hourglass::issuance::postgresql {
namespace {

#define HOURGLASS_ACTION_COLUMNS \
  "tenant_id, at, caller, action, subject, from_state, to_state, reason, overrides"

AdministrativeAction TakeAction(Rows& rows) {
  AdministrativeAction action;
  action.sequence = static_cast<std::uint64_t>(rows.TakeInteger());
  action.tenant_id = rows.TakeOctets();
  action.at = TakeTimestamp(rows);
  action.caller = rows.TakeOctets();
  action.action = rows.TakeOctets();
  action.subject = rows.TakeOctets();
  action.from_state = rows.TakeOctets();
  action.to_state = rows.TakeOctets();
  action.reason = rows.TakeOctets();
  action.overrides = rows.TakeBoolean();
  return action;
}

}  // namespace

absl::Status RecordAction(Connection& connection, const AdministrativeAction& action) {
  return RecordActions(connection, {action});
}

absl::Status RecordActions(Connection& connection, absl::Span<const AdministrativeAction> actions) {
  std::vector<Statement> statements;
  for (const AdministrativeAction& action : actions) {
    statements.push_back({"INSERT INTO administrative_actions (" HOURGLASS_ACTION_COLUMNS
                          ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                          {Text{action.tenant_id}, ValueOf(action.at), Text{action.caller},
                           Text{action.action}, Text{action.subject}, Text{action.from_state},
                           Text{action.to_state}, Text{action.reason}, action.overrides}});
  }
  return connection.RunTogether(statements).status();
}

absl::StatusOr<Page<AdministrativeAction>> ListAdministrativeActions(Connection& connection,
                                                                     absl::string_view tenant_id,
                                                                     int page_size,
                                                                     absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(before, ParseAdministrativePosition(page_token));
  }
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT sequence, " HOURGLASS_ACTION_COLUMNS
                                    " FROM administrative_actions WHERE tenant_id = $1 AND "
                                    "sequence < $2 ORDER BY sequence DESC LIMIT $3",
                                    {Text{tenant_id}, before, std::int64_t{page_size} + 1}));
  Page<AdministrativeAction> page;
  while (rows.Next()) {
    if (page.records.size() == static_cast<std::size_t>(page_size)) {
      page.next_page_token =
          AdministrativePageToken(static_cast<std::int64_t>(page.records.back().sequence));
      break;
    }
    page.records.push_back(TakeAction(rows));
  }
  return page;
}

}  // namespace hourglass::issuance::postgresql
