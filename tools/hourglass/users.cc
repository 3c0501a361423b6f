#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hourglass/v1/directory.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct UserOptions {
  std::string tenant;
  std::string user;
  std::string reason;
};

Json UserAsJson(const v1::DirectoryUser& user) {
  Json json = {{"id", user.id()},
               {"upn", user.upn()},
               {"guest", user.guest()},
               {"disabled", user.disabled()},
               {"updated_at", client::TimeForJson(client::TimeOf(user.updated_at()))},
               {"updated_by", user.updated_by()}};
  if (!user.onprem_sid().empty()) json["onprem_sid"] = user.onprem_sid();
  return json;
}

std::string AccountInWords(const v1::DirectoryUser& user) {
  return absl::StrCat(user.guest() ? "guest" : "member", user.disabled() ? ", disabled" : "");
}

absl::StatusOr<Answer> List(const UserOptions& options, const Session& session) {
  v1::ListUsersRequest request;
  request.set_tenant_id(options.tenant);
  request.set_page_size(kLargestPage);
  Answer answer{"", {{"users", Json::array()}}};
  std::vector<std::vector<std::string>> rows;
  do {
    ASSIGN_OR_RETURN(
        const v1::ListUsersResponse page,
        client::Call(session.connection, &v1::DirectoryService::Stub::ListUsers, request));
    for (const v1::DirectoryUser& user : page.users()) {
      answer.json["users"].push_back(UserAsJson(user));
      rows.push_back({user.id(), user.upn(), AccountInWords(user),
                      user.onprem_sid().empty() ? "-" : user.onprem_sid(),
                      client::TimeInWords(client::TimeOf(user.updated_at()), session.Now())});
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  answer.text =
      rows.empty()
          ? absl::StrCat(
                "No users. Bring them from the directory: hourglass users import --tenant ",
                options.tenant, " FILE…\n")
          : client::FormatTable({"ID", "UPN", "ACCOUNT", "SID", "UPDATED"}, rows);
  return answer;
}

absl::StatusOr<v1::DirectoryUser> Get(const UserOptions& options, const Session& session) {
  v1::GetUserRequest request;
  request.set_tenant_id(options.tenant);
  if (options.user.find('@') != std::string::npos) {
    request.set_upn(options.user);
  } else {
    request.set_user_id(options.user);
  }
  return client::Call(session.connection, &v1::DirectoryService::Stub::GetUser, request);
}

absl::StatusOr<Answer> Show(const UserOptions& options, const Session& session) {
  ASSIGN_OR_RETURN(const v1::DirectoryUser user, Get(options, session));
  Answer answer{
      client::FormatFacts(
          {{"User", absl::StrCat(user.upn(), " of tenant ", options.tenant)},
           {"Id", user.id()},
           {"Account", AccountInWords(user)},
           {"SID on premises", user.onprem_sid().empty() ? "none" : user.onprem_sid()},
           {"Groups", user.groups().empty() ? "none" : absl::StrJoin(user.groups(), ", ")},
           {"Roles", user.roles().empty() ? "none" : absl::StrJoin(user.roles(), ", ")},
           {"Updated",
            absl::StrCat(client::TimeInWords(client::TimeOf(user.updated_at()), session.Now()),
                         " by ", user.updated_by())}}),
      UserAsJson(user)};
  answer.json["groups"] = Json::array();
  for (const std::string& group : user.groups()) answer.json["groups"].push_back(group);
  answer.json["roles"] = Json::array();
  for (const std::string& role : user.roles()) answer.json["roles"].push_back(role);
  return answer;
}

absl::StatusOr<Answer> Remove(const UserOptions& options, const Session& session) {
  v1::RemoveUserRequest request;
  request.set_tenant_id(options.tenant);
  request.set_user_id(options.user);
  request.set_reason(options.reason);
  // A name may be another's by the time that it is looked up again.
  if (options.user.find('@') != std::string::npos) {
    ASSIGN_OR_RETURN(const v1::DirectoryUser user, Get(options, session));
    request.set_user_id(user.id());
  }
  RETURN_IF_ERROR(
      client::Call(session.connection, &v1::DirectoryService::Stub::RemoveUser, request).status());
  return Answer{absl::StrCat("Removed user ", request.user_id(),
                             " from the directory; that blocks nobody: hourglass users block.\n"),
                {{"tenant_id", options.tenant}, {"user_id", request.user_id()}, {"removed", true}}};
}

void AddUser(CLI::App& command, UserOptions& options) {
  AddTenantOption(command, options.tenant);
  command.add_option("user,--user", options.user, "The user's UPN, or his id in the directory")
      ->required()
      ->type_name("USER");
}

}  // namespace

void AddUsers(CLI::App& app, CommandLine& line) {
  CLI::App* noun =
      app.add_subcommand("users", "The users of a tenant, as its directory has them, and blocks");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<UserOptions>();
  AddUserImport(*noun, line);
  AddTenantOption(*AddCommand(*noun, line, "list", "List the users", options, &List),
                  options->tenant);
  AddUser(*AddCommand(*noun, line, "show", "Show one, with groups and roles", options, &Show),
          *options);
  CLI::App* remove =
      AddCommand(*noun, line, "remove", "Forget one; that blocks nobody", options, &Remove);
  AddUser(*remove, *options);
  AddReasonOption(*remove, options->reason);
  AddBlocking(*noun, line, /*is_device=*/false);
}

}  // namespace hourglass::cli
