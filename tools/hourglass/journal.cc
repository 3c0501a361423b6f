#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/journal.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/refusals.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct JournalOptions : RefusalOptions {
  std::string kind = "admin";
};

struct Actions {
  std::vector<v1::AdministrativeAction> actions;
  bool more = false;  // than the limit
};

absl::StatusOr<Actions> FetchActions(const JournalOptions& options, const Session& session) {
  v1::ListAdministrativeActionsRequest request;
  request.set_tenant_id(options.tenant);
  Actions found;
  do {
    request.set_page_size(
        std::min(kLargestPage, options.limit - static_cast<std::uint32_t>(found.actions.size())));
    ASSIGN_OR_RETURN(const v1::ListAdministrativeActionsResponse page,
                     client::Call(session.connection,
                                  &v1::JournalService::Stub::ListAdministrativeActions, request));
    for (const v1::AdministrativeAction& action : page.actions()) {
      if (found.actions.size() < options.limit) found.actions.push_back(action);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && found.actions.size() < options.limit);
  found.more = !request.page_token().empty();
  return found;
}

Json AsJson(const v1::AdministrativeAction& action) {
  Json json = {
      {"sequence", action.sequence()},   {"at", client::TimeForJson(client::TimeOf(action.at()))},
      {"tenant_id", action.tenant_id()}, {"caller", action.caller()},
      {"action", action.action()},       {"subject", action.subject()}};
  if (!action.from_state().empty()) json["from_state"] = action.from_state();
  if (!action.to_state().empty()) json["to_state"] = action.to_state();
  if (!action.reason().empty()) json["reason"] = action.reason();
  json["override"] = action.override();
  return json;
}

// `STAGED to PRIMARY`, `to STAGED`, or `-` of what has no state.
std::string ChangeInWords(const v1::AdministrativeAction& action) {
  if (action.to_state().empty()) return "-";
  if (action.from_state().empty()) return absl::StrCat("to ", action.to_state());
  return absl::StrCat(action.from_state(), " to ", action.to_state());
}

absl::StatusOr<Answer> List(const JournalOptions& options, const Session& session) {
  if (options.kind == "refusal") return ListRefusals(options, session);
  ASSIGN_OR_RETURN(const Actions found, FetchActions(options, session));
  Answer answer{"", {{"actions", Json::array()}, {"more", found.more}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::AdministrativeAction& action : found.actions) {
    answer.json["actions"].push_back(AsJson(action));
    rows.push_back({client::TimeInWords(client::TimeOf(action.at()), session.Now()),
                    action.caller(), action.action(), action.subject(), ChangeInWords(action),
                    absl::StrCat(action.override() ? "override: " : "", action.reason())});
  }
  if (rows.empty()) {
    answer.text = "No actions of administrators.\n";
    return answer;
  }
  answer.text =
      client::FormatTable({"WHEN", "WHO", "ACTION", "SUBJECT", "FROM AND TO", "WHY"}, rows);
  if (found.more) {
    absl::StrAppend(&answer.text, "The newest ", rows.size(),
                    " are shown; there are more: --limit N\n");
  }
  return answer;
}

// Other kinds have listings of their own, with what narrows them.
CLI::Validator IsKind() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        if (text == "admin" || text == "refusal") return "";
        if (text == "certificates") {
          return "what was signed is listed by: hourglass certificates list --tenant ID";
        }
        return absl::StrCat("`", client::Printable(text), "` is not admin or refusal");
      },
      "");
}

}  // namespace

void AddJournal(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("journal", "Look into the journal of what was done");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<JournalOptions>();
  CLI::App* list = AddCommand(*noun, line, "list",
                              "List what administrators did in a tenant, or who was refused, "
                              "the newest first",
                              options, &List);
  AddTenantOption(*list, options->tenant);
  CLI::Option* const kind =
      list->add_option("--kind", options->kind,
                       "admin, what administrators did (default); refusal, whom a verdict refused")
          ->check(IsKind())
          ->type_name("KIND");
  list->add_option("--device", options->device, "Only refusals of this device")
      ->needs(kind)
      ->type_name("ID");
  list->add_option("--user", options->user, "Only refusals of this user principal name")
      ->needs(kind)
      ->type_name("UPN");
  list->add_option("--limit", options->limit, "At most this many (default: 100)")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
  CLI::App* show =
      AddCommand(*noun, line, "show", "Show a refusal by the id that the user reads out",
                 std::shared_ptr<RefusalOptions>(options), &ShowRefusal);
  AddTenantOption(*show, options->tenant);
  show->add_option("id,--id", options->verdict, "The id of the verdict")
      ->required()
      ->type_name("ID");
}

}  // namespace hourglass::cli
