#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/compliance.grpc.pb.h"
#include "hourglass/v1/policies.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/arguments.h"
#include "tools/client/request_id.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/policy_words.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct ComplianceOptions {
  std::string tenant;
  std::string device;
  std::string user;
  std::string user_id;
  // What if.
  std::string at;
  std::string ip;
  std::string country;
  std::string sign_in_risk;
  std::string user_risk;
  std::string client_app;
  std::string mfa;
  std::string authenticated;
  std::vector<std::string> methods;

  bool asks_what_if() const {
    return !(at.empty() && ip.empty() && country.empty() && sign_in_risk.empty() &&
             user_risk.empty() && client_app.empty() && mfa.empty() && authenticated.empty() &&
             methods.empty());
  }
};

constexpr int kNonceSize = 16;

Json VerdictAsJson(const v1::Verdict& verdict) {
  Json json = {{"outcome", verdict.has_allow() ? "allow" : "deny"},
               {"policy_version", verdict.policy_version()}};
  if (verdict.has_evaluated_at()) {
    json["evaluated_at"] = client::TimeForJson(client::TimeOf(verdict.evaluated_at()));
    json["verdict_id"] = verdict.verdict_id();
  }
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
  client::Facts facts = {{"Policy", verdict.policy_version()}};
  if (verdict.has_evaluated_at()) {
    facts.emplace_back("Evaluated",
                       client::TimeInWords(client::TimeOf(verdict.evaluated_at()), now));
  }
  return absl::StrCat(text, client::FormatFacts(facts));
}

absl::StatusOr<v1::Verdict> AskForVerdict(const ComplianceOptions& options,
                                          const Session& session) {
  v1::EvaluateRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  request.set_user_upn(options.user);
  request.set_user_id(options.user_id);
  request.set_nonce(client::RandomOctets(kNonceSize));
  ASSIGN_OR_RETURN(
      v1::Verdict verdict,
      client::Call(session.connection, &v1::ComplianceService::Stub::Evaluate, request));
  if (verdict.nonce() != request.nonce()) {
    return Error(ErrorReason::kComplianceAnswerInvalid, "nonce",
                 "the verdict is not the answer to this question");
  }
  if (verdict.outcome_case() == v1::Verdict::OUTCOME_NOT_SET) {
    return Error(ErrorReason::kComplianceAnswerInvalid, "outcome",
                 "the verdict neither allows nor denies");
  }
  return verdict;
}

absl::StatusOr<v1::WhatIfResponse> AskWhatIf(const ComplianceOptions& options,
                                             const Session& session) {
  v1::WhatIfRequest request;
  request.set_tenant_id(options.tenant);
  request.set_device_id(options.device);
  request.set_user_upn(options.user);
  request.set_user_id(options.user_id);
  v1::SignInFacts& sign_in = *request.mutable_sign_in();
  sign_in.set_ip_address(options.ip);
  sign_in.set_country(options.country);
  sign_in.set_sign_in_risk(options.sign_in_risk);
  sign_in.set_user_risk(options.user_risk);
  sign_in.set_client_app(options.client_app);
  if (!options.mfa.empty()) sign_in.set_mfa(options.mfa == "yes");
  for (const std::string& method : options.methods) sign_in.add_authentication_methods(method);
  if (!options.authenticated.empty()) {
    ASSIGN_OR_RETURN(const absl::Time time,
                     client::ParsePastTime(options.authenticated, session.Now()));
    *sign_in.mutable_authenticated_at() = client::TimestampOf(time);
  }
  if (!options.at.empty()) {
    ASSIGN_OR_RETURN(const absl::Time time, client::ParsePastTime(options.at, session.Now()));
    *request.mutable_at() = client::TimestampOf(time);
  }
  return client::Call(session.connection, &v1::PolicyService::Stub::WhatIf, request);
}

// The answer to what if, in the form of a verdict that nobody has made.
v1::Verdict AsVerdict(const v1::WhatIfResponse& response) {
  v1::Verdict verdict;
  verdict.set_policy_version(response.policy_version());
  if (response.allowed()) {
    verdict.mutable_allow();
  } else {
    *verdict.mutable_deny()->mutable_reasons() = response.reasons();
  }
  return verdict;
}

absl::StatusOr<Answer> Evaluate(const ComplianceOptions& options, const Session& session) {
  v1::Verdict verdict;
  if (!options.asks_what_if()) {
    ASSIGN_OR_RETURN(verdict, AskForVerdict(options, session));
  }
  // A service before this cannot explain, nor one with verdicts from elsewhere.
  const absl::StatusOr<v1::WhatIfResponse> explained = AskWhatIf(options, session);
  if (options.asks_what_if()) {
    RETURN_IF_ERROR(explained.status());
    verdict = AsVerdict(*explained);
  }
  Answer answer{VerdictInWords(verdict, options, session.Now()), VerdictAsJson(verdict),
                verdict.has_allow() ? client::kExitOk : client::kExitFailed};
  if (explained.ok()) {
    absl::StrAppend(&answer.text, OutcomesInWords(*explained));
    PutOutcomes(*explained, &answer.json);
  }
  return answer;
}

void AddWhatIf(CLI::App& command, ComplianceOptions& options) {
  constexpr char kGroup[] = "What if; what is not given is as it would be for a request";
  const auto add = [&](const char* name, std::string& value, const char* help, const char* type) {
    return command.add_option(name, value, help)->type_name(type)->group(kGroup);
  };
  add("--at", options.at, "The time that it is judged at", "TIME")->check(IsPastTime());
  add("--ip", options.ip, "The address that the user signs in from", "ADDRESS");
  add("--country", options.country, "The country of that address, two letters", "COUNTRY");
  add("--sign-in-risk", options.sign_in_risk, "none, low, medium, high or hidden", "LEVEL");
  add("--user-risk", options.user_risk, "none, low, medium, high or hidden", "LEVEL");
  add("--client-app", options.client_app,
      "browser, mobileAppsAndDesktopClients, exchangeActiveSync or other", "APP");
  add("--mfa", options.mfa, "Whether multifactor authentication was performed", "yes|no")
      ->check(CLI::IsMember({"yes", "no"}));
  add("--authenticated", options.authenticated, "When the user last authenticated", "TIME")
      ->check(IsPastTime());
  command
      .add_option("--authentication-methods", options.methods,
                  "By Graph's names: fido2,windowsHelloForBusiness")
      ->delimiter(',')
      ->type_name("METHODS")
      ->group(kGroup);
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
  AddWhatIf(*evaluate, *options);
}

}  // namespace hourglass::cli
