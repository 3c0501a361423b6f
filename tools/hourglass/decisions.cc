// Events for whoever ends connections.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hourglass/v1/decisions.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/arguments.h"
#include "tools/client/table.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/refusal_words.h"

namespace hourglass::cli {
namespace {

using client::Json;

struct WatchOptions {
  std::string tenant;
  std::string after;
  std::uint64_t count = 0;  // 0: without end
};

Json AsJson(const v1::LiveCertificate& certificate) {
  Json json = {{"serial_number", client::Hex(certificate.serial_number())},
               {"not_after", client::TimeForJson(client::TimeOf(certificate.not_after()))},
               {"root_id", certificate.root_id()},
               {"root_sha256", client::Hex(certificate.root_sha256())}};
  if (!certificate.intermediate_serial_number().empty()) {
    json["intermediate_serial_number"] = client::Hex(certificate.intermediate_serial_number());
  }
  json["sha256"] = client::Hex(certificate.sha256());
  json["user_upn"] = certificate.user_upn();
  json["user_id"] = certificate.user_id();
  json["device_id"] = certificate.device_id();
  return json;
}

Json AsJson(const v1::DecisionEvent& event) {
  Json json = {{"cursor", event.cursor()},
               {"tenant_id", event.tenant_id()},
               {"kind", v1::DecisionEvent::Kind_Name(event.kind())},
               {"at", client::TimeForJson(client::TimeOf(event.at()))}};
  if (!event.device_id().empty()) json["device_id"] = event.device_id();
  if (!event.user_id().empty()) json["user_id"] = event.user_id();
  if (!event.user_upn().empty()) json["user_upn"] = event.user_upn();
  if (!event.reason().empty()) json["reason"] = event.reason();
  if (!event.reasons().empty()) json["reasons"] = ReasonsAsJson(event.reasons());
  if (!event.verdict_id().empty()) json["verdict_id"] = event.verdict_id();
  json["certificates"] = Json::array();
  for (const v1::LiveCertificate& certificate : event.certificates()) {
    json["certificates"].push_back(AsJson(certificate));
  }
  json["certificates_complete"] = event.certificates_complete();
  return json;
}

// `device laptop-1, user alice@contoso.example`.
std::string WhomInWords(const v1::DecisionEvent& event) {
  std::vector<std::string> parts;
  if (!event.device_id().empty()) parts.push_back(absl::StrCat("device ", event.device_id()));
  const std::string& user = event.user_upn().empty() ? event.user_id() : event.user_upn();
  if (!user.empty()) parts.push_back(absl::StrCat("user ", user));
  return absl::StrJoin(parts, ", ");
}

// One line, whatever anybody's words are.
std::string InWords(const v1::DecisionEvent& event) {
  std::vector<std::string> serials;
  for (const v1::LiveCertificate& certificate : event.certificates()) {
    serials.push_back(client::Hex(certificate.serial_number()));
  }
  std::string certificates = serials.empty() ? "none live" : absl::StrJoin(serials, " ");
  if (!event.certificates_complete()) certificates += " and perhaps more";
  const std::string why =
      event.reason().empty() ? SettingsIn(event.reasons()) : client::Printable(event.reason());
  return absl::StrCat(client::TimeForJson(client::TimeOf(event.at())), " ",
                      v1::DecisionEvent::Kind_Name(event.kind()), " ",
                      client::Printable(WhomInWords(event)), why.empty() ? "" : ": ", why,
                      "; certificates: ", certificates, "; cursor ", event.cursor(), "\n");
}

// Each event as soon as it comes: whoever reads a pipe is told at once.
absl::Status Print(const v1::DecisionEvent& event, bool json) {
  const std::string line = json ? client::JsonLine(AsJson(event)) : InWords(event);
  if (std::fwrite(line.data(), 1, line.size(), stdout) == line.size() && std::fflush(stdout) == 0) {
    return absl::OkStatus();
  }
  return Error(ErrorReason::kInternalError, "", "standard output cannot be written");
}

absl::StatusOr<Answer> Watch(const WatchOptions& options, const Session& session) {
  v1::DecisionService::Stub stub(session.connection.channel());
  grpc::ClientContext context;
  v1::WatchDecisionsRequest request;
  request.set_tenant_id(options.tenant);
  request.set_cursor(options.after);
  const auto reader = stub.WatchDecisions(&context, request);
  v1::DecisionEvent event;
  for (std::uint64_t seen = 0; reader->Read(&event);) {
    const absl::Status printed = Print(event, session.json);
    if (++seen != options.count && printed.ok()) continue;
    context.TryCancel();
    reader->Finish();
    RETURN_IF_ERROR(printed);
    return Answer{};
  }
  return client::CallError(reader->Finish(), session.connection.server());
}

}  // namespace

void AddDecisions(CLI::App& app, CommandLine& line) {
  CLI::App* noun = app.add_subcommand(
      "decisions", "Watch whose certificates should count no more before they expire");
  noun->require_subcommand(1)->fallthrough();
  const auto options = std::make_shared<WatchOptions>();
  CLI::App* watch = AddCommand(
      *noun, line, "watch",
      "Print an event a line until it is stopped: those that are kept, then each as it comes",
      options, &Watch);
  AddTenantOption(*watch, options->tenant);
  watch
      ->add_option("--after", options->after,
                   "The cursor of the last event that was dealt with (default: all that are kept)")
      ->type_name("CURSOR");
  watch->add_option("--count", options->count, "End after so many (default: never)")
      ->check(CLI::Range(1, 1'000'000).description(""))
      ->type_name("N");
}

}  // namespace hourglass::cli
