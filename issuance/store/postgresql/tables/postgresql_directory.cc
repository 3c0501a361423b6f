#include "issuance/store/postgresql/tables/postgresql_directory.h"

#include <cstddef>
#include <string>
#include <vector>

#include "ca/names/name_rules.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/access_rules.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/administrative_actions.h"
#include "issuance/store/decision_rules.h"
#include "issuance/store/page_token.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/postgresql/tables/postgresql_administrative_actions.h"
#include "issuance/store/postgresql/tables/postgresql_decisions.h"
#include "issuance/store/postgresql/tables/postgresql_tenants.h"

namespace hourglass::issuance::postgresql {
namespace {

// All have their new names or none before the first is written: so two may exchange theirs. In one
// round trip, as the next.
absl::Status MakeRoom(Connection& connection, absl::string_view tenant_id,
                      absl::Span<const DirectoryUser> users,
                      const std::vector<UserColumns>& columns) {
  std::vector<Statement> statements;
  for (const absl::string_view sql : {kDeleteRenamedUser, kIsUpnTaken}) {
    for (std::size_t i = 0; i < users.size(); ++i) {
      statements.push_back(
          {sql, {Text{tenant_id}, Text{users[i].user_id}, Text{columns[i].folded_upn}}});
    }
  }
  ASSIGN_OR_RETURN(std::vector<Rows> rows, connection.RunTogether(statements));
  for (std::size_t i = users.size(); i < rows.size(); ++i) {
    if (rows[i].Next() && rows[i].TakeBoolean()) return UserExists();
  }
  return absl::OkStatus();
}

absl::Status Put(Connection& connection, absl::string_view tenant_id,
                 absl::Span<const DirectoryUser> users, const std::vector<UserColumns>& all_columns,
                 const ChangeCause& cause) {
  std::vector<Statement> statements;
  for (std::size_t i = 0; i < users.size(); ++i) {
    const DirectoryUser& user = users[i];
    const UserColumns& columns = all_columns[i];
    statements.push_back(
        {kPutUser,
         {Text{tenant_id}, Text{user.user_id}, Text{user.upn}, Text{user.onprem_sid}, user.is_guest,
          user.is_enabled, ValueOf(cause.now), Text{cause.caller}, Text{columns.groups},
          Text{columns.roles}, Text{columns.folded_id}, Text{columns.folded_upn}}});
  }
  return connection.RunTogether(statements).status();
}

// Those who become disabled, or come so.
absl::StatusOr<std::vector<DecisionEvent>> EventsOf(Connection& connection,
                                                    absl::string_view tenant_id,
                                                    absl::Span<const DirectoryUser> users,
                                                    const ChangeCause& cause) {
  std::vector<const DirectoryUser*> disabled;
  std::vector<Statement> statements;
  for (const DirectoryUser& user : users) {
    if (user.is_enabled) continue;
    disabled.push_back(&user);
    statements.push_back({kIsUserDisabled, {Text{tenant_id}, Text{user.user_id}}});
  }
  std::vector<DecisionEvent> events;
  if (disabled.empty()) return events;
  ASSIGN_OR_RETURN(std::vector<Rows> rows, connection.RunTogether(statements));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i].Next() || rows[i].TakeBoolean()) continue;
    events.push_back(EventOfDisabled(tenant_id, *disabled[i], cause));
  }
  return events;
}

absl::StatusOr<DirectoryUser> TakeOneUser(absl::StatusOr<Rows> rows, absl::string_view field) {
  RETURN_IF_ERROR(rows.status());
  if (!rows->Next()) return UserUnknown(field);
  return TakeUser(*rows);
}

}  // namespace

absl::Status PutUsers(Connection& connection, absl::string_view tenant_id,
                      absl::Span<const DirectoryUser> users, const ChangeCause& cause) {
  RETURN_IF_ERROR(CheckUsers(users));
  RETURN_IF_ERROR(GetTenant(connection, tenant_id).status());
  if (users.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<UserColumns> columns, ColumnsOf(users));
  ASSIGN_OR_RETURN(const std::vector<DecisionEvent> events,
                   EventsOf(connection, tenant_id, users, cause));
  RETURN_IF_ERROR(MakeRoom(connection, tenant_id, users, columns));
  RETURN_IF_ERROR(Put(connection, tenant_id, users, columns, cause));
  RETURN_IF_ERROR(RecordAction(
      connection, ActionOn(tenant_id, CountOfUsers(users.size()), "users_imported", cause)));
  for (const DecisionEvent& event : events) RETURN_IF_ERROR(Decisions::AddEvent(connection, event));
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> RemoveUsersNotUpdatedSince(Connection& connection,
                                                         absl::string_view tenant_id,
                                                         Timestamp cutoff,
                                                         const ChangeCause& cause) {
  RETURN_IF_ERROR(GetTenant(connection, tenant_id).status());
  ASSIGN_OR_RETURN(const std::int64_t removed,
                   connection.Change(kDeleteUsersBefore, {Text{tenant_id}, ValueOf(cutoff)}));
  const auto count = static_cast<std::uint64_t>(removed);
  if (count == 0) return count;
  RETURN_IF_ERROR(
      RecordAction(connection, ActionOn(tenant_id, CountOfUsers(count), "users_removed", cause)));
  return count;
}

absl::Status RemoveUser(Connection& connection, absl::string_view tenant_id,
                        absl::string_view user_id, const ChangeCause& cause) {
  ASSIGN_OR_RETURN(const std::int64_t removed,
                   connection.Change(kDeleteUser, {Text{tenant_id}, Text{user_id}}));
  if (removed == 0) return UserUnknown("user_id");
  return RecordAction(connection, ActionOn(tenant_id, user_id, "user_removed", cause));
}

absl::StatusOr<DirectoryUser> GetUser(Connection& connection, absl::string_view tenant_id,
                                      absl::string_view user_id) {
  return TakeOneUser(connection.Query(kSelectUser, {Text{tenant_id}, Text{user_id}}), "user_id");
}

absl::StatusOr<DirectoryUser> GetUserByUpn(Connection& connection, absl::string_view tenant_id,
                                           absl::string_view upn) {
  const std::string folded_upn = ca::FoldedUpn(upn);
  return TakeOneUser(connection.Query(kSelectUserByUpn, {Text{tenant_id}, Text{folded_upn}}),
                     "upn");
}

absl::StatusOr<Page<DirectoryUser>> ListUsers(Connection& connection, absl::string_view tenant_id,
                                              int page_size, absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  std::string after;  // no user has an empty id
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(after, ParseUserPosition(page_token));
  }
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectUsers, {Text{tenant_id}, Text{after},
                                                              std::int64_t{page_size} + 1}));
  return TakePage<DirectoryUser>(rows, page_size, TakeUser<Rows>, [](const DirectoryUser& last) {
    return UserPageToken(last.user_id);
  });
}

}  // namespace hourglass::issuance::postgresql
