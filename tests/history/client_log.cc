#include "tests/history/client_log.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tests/history/json_fields.h"

namespace hourglass::history {
namespace {

constexpr char kIssueCertificate[] = "IssueCertificate";
constexpr int kVersion = 1;

std::int64_t Micros(Timestamp time) { return time.time_since_epoch().count(); }
Timestamp TimestampOf(std::int64_t micros) { return Timestamp(std::chrono::microseconds(micros)); }

Json CallAsJson(const Call& call, absl::string_view method) {
  return {{"call", std::string(method)},       {"tenant", call.tenant_id},
          {"replica", call.replica},           {"sent", call.sent.count()},
          {"answered", call.answered.count()}, {"sent_at", Micros(call.sent_at)}};
}

void Add(const Received& received, Json* json) {
  (*json)["certificate"] = Base64(received.certificate);
}
void Add(const Changed& changed, Json* json) {
  (*json)["state"] = std::string(ca::RootStateName(changed.state));
  (*json)["since"] = Micros(changed.since);
}
void Add(const Refused& refused, Json* json) {
  (*json)["refused"] = {
      {"code", refused.code}, {"reason", refused.reason}, {"message", refused.message}};
}
void Add(const Unanswered& unanswered, Json* json) {
  (*json)["unanswered"] = {{"code", unanswered.code}, {"message", unanswered.message}};
}

Call CallFrom(JsonFields& fields, const std::string& client) {
  Call call;
  call.client = client;
  call.tenant_id = fields.Text("tenant");
  call.replica = fields.Text("replica");
  call.sent = Uptime(fields.Number("sent"));
  call.answered = Uptime(fields.Number("answered"));
  call.sent_at = TimestampOf(fields.Number("sent_at"));
  return call;
}

// Nothing where it is neither.
template <typename Outcome>
std::optional<Outcome> FailureFrom(JsonFields& fields) {
  if (fields.Has("refused")) {
    JsonFields refused = fields.Object("refused");
    Refused failure{refused.Text("code"), refused.Text("reason"), refused.Text("message")};
    fields.Finish(refused);
    return failure;
  }
  if (!fields.Has("unanswered")) return std::nullopt;
  JsonFields unanswered = fields.Object("unanswered");
  Unanswered failure{unanswered.Text("code"), unanswered.Text("message")};
  fields.Finish(unanswered);
  return failure;
}

absl::Status Invalid(absl::string_view message) {
  return Error(ErrorReason::kFieldInvalid, "", message);
}

absl::Status CheckOrder(const Call& call) {
  if (call.sent <= call.answered) return absl::OkStatus();
  return Invalid("was answered before it was sent");
}

absl::Status ReadIssueCall(JsonFields& fields, ClientLog* log) {
  IssueCall call;
  call.call = CallFrom(fields, log->client);
  call.request_id = fields.Text("request");
  if (auto failure = FailureFrom<decltype(call.outcome)>(fields); failure.has_value()) {
    call.outcome = *std::move(failure);
  } else {
    call.outcome = Received{fields.Octets("certificate")};
  }
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(CheckOrder(call.call));
  log->issuing.push_back(std::move(call));
  return absl::OkStatus();
}

absl::Status ReadAdministrativeCall(AdministrativeMethod method, JsonFields& fields,
                                    ClientLog* log) {
  AdministrativeCall call;
  call.call = CallFrom(fields, log->client);
  call.method = method;
  call.root_id = fields.Text("root");
  if (auto failure = FailureFrom<decltype(call.outcome)>(fields); failure.has_value()) {
    call.outcome = *std::move(failure);
  } else {
    const std::optional<ca::RootState> state = ca::RootStateNamed(fields.Text("state"));
    if (!state.has_value()) return Invalid("`state` is no state of a root");
    call.outcome = Changed{*state, TimestampOf(fields.Number("since"))};
  }
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(CheckOrder(call.call));
  log->administration.push_back(std::move(call));
  return absl::OkStatus();
}

absl::Status ReadFirstLine(JsonFields& fields, ClientLog* log) {
  if (fields.Number("client_log") != kVersion) return Invalid("is not a log of version 1");
  log->client = fields.Text("client");
  log->boot_id = fields.Text("boot_id");
  return fields.Finish();
}

absl::Status ReadLine(absl::string_view line, bool is_first, ClientLog* log) {
  if (log->is_whole) return Invalid("comes after the last line");
  ASSIGN_OR_RETURN(JsonFields fields, JsonFields::Parse(line));
  if (is_first) return ReadFirstLine(fields, log);
  if (fields.Has("closed")) {
    log->is_whole = fields.Flag("closed");
    return fields.Finish();
  }
  const std::string called = fields.Text("call");
  if (called == kIssueCertificate) return ReadIssueCall(fields, log);
  const std::optional<AdministrativeMethod> method = MethodOfName(called);
  if (!method.has_value()) return Invalid("is no call that is known here");
  return ReadAdministrativeCall(*method, fields, log);
}

}  // namespace

std::string FirstLineOfLog(absl::string_view client, absl::string_view boot_id) {
  return LineOf({{"client_log", kVersion},
                 {"client", std::string(client)},
                 {"boot_id", std::string(boot_id)}});
}

std::string LogLine(const IssueCall& call) {
  Json json = CallAsJson(call.call, kIssueCertificate);
  json["request"] = call.request_id;
  std::visit([&json](const auto& outcome) { Add(outcome, &json); }, call.outcome);
  return LineOf(json);
}

std::string LogLine(const AdministrativeCall& call) {
  Json json = CallAsJson(call.call, MethodName(call.method));
  json["root"] = call.root_id;
  std::visit([&json](const auto& outcome) { Add(outcome, &json); }, call.outcome);
  return LineOf(json);
}

std::string LastLineOfLog() { return LineOf({{"closed", true}}); }

absl::StatusOr<ClientLog> ReadClientLog(std::istream& text, absl::string_view name) {
  ClientLog log;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    // What ends with the file and not with a line was being written when its writer was killed.
    if (text.eof()) {
      log.is_torn = true;
      break;
    }
    const absl::Status read = ReadLine(line, number == 1, &log);
    if (!read.ok()) {
      return Error(ErrorReason::kFieldInvalid, absl::StrCat(name, ":", number), read.message());
    }
  }
  return log;
}

}  // namespace hourglass::history
