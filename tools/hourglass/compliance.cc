#include "absl/strings/str_cat.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/request_id.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct ComplianceOptions {
  std::string tenant;
  std::string device;
  std::string user;
  std::string user_id;
};

constexpr int kNonceSize = 16;

Json VerdictAsJson(const v1::Verdict& verdict) {
  Json json = {{"outcome", verdict.has_allow() ? "allow" : "deny"},
               {"policy_version", verdict.policy_version()},
               {"evaluated_at", client::TimeForJson(client::TimeOf(verdict.evaluated_at()))},
               {"verdict_id", verdict.verdict_id()}};
  if (!verdict.has_deny()) return json;
  json["reasons"] = Json::array();
  for (const v1::DenyReason& reason : verdict.deny().reasons()) {
    json["reasons"].push_back({{"setting", reason.setting()},
                               {"message", reason.message()},
                               {"remediation_url", reason.remediation_url()}});
  }
  return json;
}

std::string VerdictInWords(const v1::Verdict& verdict, const ComplianceOptions& options,
                           absl::Time now) {
  std::string text =
      absl::StrCat(verdict.has_allow() ? "ALLOW: " : "DENY: ", client::Printable(options.user),
                   " on ", client::Printable(options.device),
                   verdict.has_allow() ? " would get a certificate.\n" : " would be refused.\n");
  for (const v1::DenyReason& reason : verdict.deny().reasons()) {
    absl::StrAppend(&text, "  - ", client::Printable(reason.setting()), ": ",
                    client::Printable(reason.message()), "\n");
    if (!reason.remediation_url().empty()) {
      absl::StrAppend(&text, "    how to mend it: ", client::Printable(reason.remediation_url()),
                      "\n");
    }
  }
  return absl::StrCat(
      text, client::FormatFacts(
                {{"Policy", verdict.policy_version()},
                 {"Evaluated", client::TimeInWords(client::TimeOf(verdict.evaluated_at()), now)}}));
}

absl::StatusOr<Answer> Evaluate(const ComplianceOptions& options, const Session& session) {
  v1::EvaluateRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  request.set_user_upn(options.user);
  request.set_user_id(options.user_id);
  request.set_nonce(client::RandomOctets(kNonceSize));
  ASSIGN_OR_RETURN(
      const v1::Verdict verdict,
      client::Call(session.connection, &v1::ComplianceService::Stub::Evaluate, request));
  if (verdict.nonce() != request.nonce()) {
    return Error(ErrorReason::kComplianceAnswerInvalid, "nonce",
                 "the verdict is not the answer to this question");
  }
  if (verdict.outcome_case() == v1::Verdict::OUTCOME_NOT_SET) {
    return Error(ErrorReason::kComplianceAnswerInvalid, "outcome",
                 "the verdict neither allows nor denies");
  }
  return Answer{VerdictInWords(verdict, options, session.Now()), VerdictAsJson(verdict),
                verdict.has_allow() ? client::kExitOk : client::kExitFailed};
}

}  // namespace

void AddCompliance(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand("compliance", "Ask what a verdict would be, and why");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<ComplianceOptions>();
  CLI::App* evaluate = AddCommand(*noun, line, "evaluate",
                                  "Would this user on this device get a certificate now? "
                                  "Exit code 0 if so, 1 if not",
                                  options, &Evaluate);
  AddTenantOption(*evaluate, options->tenant);
  evaluate->add_option("--device", options->device, "The device's id")
      ->required()
      ->type_name("DEVICE");
  evaluate->add_option("--user", options->user, "The user principal name")
      ->required()
      ->type_name("UPN");
  evaluate->add_option("--user-id", options->user_id, "The user's id in the directory")
      ->type_name("ID");
}

}  // namespace hourglass::cli
