// The refusals of the journal.
#include "tools/hourglass/refusals.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/decisions.grpc.pb.h"
#include "hsm/base/status_macros.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/refusal_words.h"

namespace hourglass::cli {
namespace {

using client::Json;

Json AsJson(const v1::Refusal& refusal) {
  return {{"verdict_id", refusal.verdict_id()},
          {"at", client::TimeForJson(client::TimeOf(refusal.at()))},
          {"tenant_id", refusal.tenant_id()},
          {"caller", refusal.caller()},
          {"user_id", refusal.user_id()},
          {"user_upn", refusal.user_upn()},
          {"device_id", refusal.device_id()},
          {"request_id", refusal.request_id()},
          {"policy_version", refusal.policy_version()},
          {"reasons", ReasonsAsJson(refusal.reasons())}};
}

struct Refusals {
  std::vector<v1::Refusal> refusals;
  bool more = false;  // than the limit
};

absl::StatusOr<Refusals> Fetch(v1::ListRefusalsRequest request, std::uint32_t limit,
                               const Session& session) {
  Refusals found;
  do {
    request.set_page_size(
        std::min(kLargestPage, limit - static_cast<std::uint32_t>(found.refusals.size())));
    ASSIGN_OR_RETURN(
        const v1::ListRefusalsResponse page,
        client::Call(session.connection, &v1::DecisionService::Stub::ListRefusals, request));
    for (const v1::Refusal& refusal : page.refusals()) {
      if (found.refusals.size() < limit) found.refusals.push_back(refusal);
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty() && found.refusals.size() < limit);
  found.more = !request.page_token().empty();
  return found;
}

}  // namespace

absl::StatusOr<Answer> ListRefusals(const RefusalOptions& options, const Session& session) {
  v1::ListRefusalsRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  request.set_user_upn(options.user);
  ASSIGN_OR_RETURN(const Refusals found, Fetch(std::move(request), options.limit, session));
  Answer answer{"", {{"refusals", Json::array()}, {"more", found.more}}};
  std::vector<std::vector<std::string>> rows;
  for (const v1::Refusal& refusal : found.refusals) {
    answer.json["refusals"].push_back(AsJson(refusal));
    rows.push_back({client::TimeInWords(client::TimeOf(refusal.at()), session.Now()),
                    refusal.verdict_id(), refusal.user_upn(), refusal.device_id(),
                    SettingsIn(refusal.reasons())});
  }
  if (rows.empty()) {
    answer.text = "No refusals.\n";
    return answer;
  }
  answer.text = client::FormatTable({"WHEN", "ID", "USER", "DEVICE", "WHAT WAS MISSING"}, rows);
  if (found.more) {
    absl::StrAppend(&answer.text, "The newest ", rows.size(),
                    " are shown; there are more: --limit N\n");
  }
  return answer;
}

absl::StatusOr<Answer> ShowRefusal(const RefusalOptions& options, const Session& session) {
  v1::ListRefusalsRequest request;
  request.set_tenant_id(options.tenant);
  request.set_verdict_id(options.verdict);
  ASSIGN_OR_RETURN(const Refusals found, Fetch(std::move(request), 1, session));
  if (found.refusals.empty()) {
    return absl::NotFoundError(
        "the tenant's journal has no refusal of this id: it may be too old, or one of very "
        "many");
  }
  const v1::Refusal& refusal = found.refusals.front();
  return Answer{
      absl::StrCat(
          client::FormatFacts(
              {{"Id", refusal.verdict_id()},
               {"Refused", client::TimeInWords(client::TimeOf(refusal.at()), session.Now())},
               {"User", refusal.user_upn()},
               {"User id", refusal.user_id()},
               {"Device", refusal.device_id()},
               {"Asked by", refusal.caller()},
               {"Request id", refusal.request_id()},
               {"Policy", refusal.policy_version()}}),
          "What was missing:\n", ReasonsInWords(refusal.reasons())),
      AsJson(refusal)};
}

}  // namespace hourglass::cli
