// `hourglass gateways doctor`: what is wrong in the set-up of a relying party.
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/arguments.h"
#include "tools/client/files.h"
#include "tools/client/table.h"
#include "tools/client/usage.h"
#include "tools/doctor/config_check.h"
#include "tools/doctor/finding.h"
#include "tools/doctor/radius/radius_doctor.h"
#include "tools/doctor/windows_check.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/doctor_canary.h"

namespace hourglass::cli {
namespace {

using client::Json;
using doctor::Finding;
using doctor::NamedFile;

struct DoctorOptions {
  // windows
  std::vector<std::string> nps_exports;
  std::vector<std::string> registry_exports;
  // config
  std::vector<std::string> files;
  std::string kind;
  // radius
  std::string server;
  std::string secret_file;
  std::string certificate_file;
  std::string key_file;
  CanaryOrder canary;
  std::string identity;
  std::vector<std::string> refused;  // certificate, key, certificate, key, …
  std::string server_ca_file;
  std::string server_name;
  std::string timeout = "10s";
};

using Run = absl::StatusOr<Answer> (*)(const DoctorOptions&);

constexpr absl::string_view kKinds[] = {"strongswan", "openvpn"};
constexpr int kRadiusPort = 1812;
constexpr int kLastPort = 65535;
constexpr std::size_t kLongestSecret = 128;  // octets

Answer AnswerOf(const std::vector<Finding>& findings) {
  return {doctor::FindingsInWords(findings), doctor::ReportAsJson(findings),
          doctor::HasMistake(findings) ? client::kExitFailed : client::kExitOk};
}

absl::StatusOr<std::vector<NamedFile>> ReadFiles(const std::vector<std::string>& names) {
  std::vector<NamedFile> files;
  for (const std::string& name : names) {
    ASSIGN_OR_RETURN(std::string octets, client::ReadWholeFile(name));
    files.push_back({name, std::move(octets)});
  }
  return files;
}

absl::StatusOr<Answer> ExamineWindows(const DoctorOptions& options) {
  ASSIGN_OR_RETURN(const std::vector<NamedFile> nps, ReadFiles(options.nps_exports));
  ASSIGN_OR_RETURN(const std::vector<NamedFile> registry, ReadFiles(options.registry_exports));
  return AnswerOf(doctor::CheckWindows(nps, registry));
}

absl::StatusOr<Answer> ExamineConfig(const DoctorOptions& options) {
  doctor::ConfigKind kind = doctor::ConfigKind::kUnknown;
  if (options.kind == "strongswan") kind = doctor::ConfigKind::kStrongswan;
  if (options.kind == "openvpn") kind = doctor::ConfigKind::kOpenvpn;
  ASSIGN_OR_RETURN(const std::vector<NamedFile> files, ReadFiles(options.files));
  std::vector<Finding> all;
  for (const NamedFile& file : files) {
    for (Finding& finding : doctor::CheckConfigFile(file.octets, file.name, kind)) {
      all.push_back(std::move(finding));
    }
  }
  return AnswerOf(all);
}

// `HOST`, `HOST:PORT`, `[IPV6]:PORT`, `[IPV6]` or a bare IPv6 address.
absl::StatusOr<doctor::RadiusTarget> ParseServer(absl::string_view text) {
  doctor::RadiusTarget target;
  absl::string_view port;
  if (absl::ConsumePrefix(&text, "[")) {
    const std::size_t end = text.find(']');
    port = end == absl::string_view::npos ? "" : text.substr(end + 1);
    if (end == absl::string_view::npos || (!port.empty() && !absl::ConsumePrefix(&port, ":"))) {
      return Error(ErrorReason::kFieldInvalid, "SERVER", "give HOST[:PORT] or [IPV6][:PORT]");
    }
    target.host = std::string(text.substr(0, end));
  } else if (const std::size_t colon = text.find(':');
             colon != absl::string_view::npos && colon == text.rfind(':')) {
    target.host = std::string(text.substr(0, colon));
    port = text.substr(colon + 1);
    if (port.empty()) port = "?";
  } else {
    target.host = std::string(text);
  }
  target.port = kRadiusPort;
  const bool port_is_good = port.empty() || (absl::SimpleAtoi(port, &target.port) &&
                                             target.port > 0 && target.port <= kLastPort);
  if (target.host.empty() || !port_is_good) {
    return Error(ErrorReason::kFieldInvalid, "SERVER",
                 "give HOST[:PORT] with a port from 1 to 65535");
  }
  return target;
}

absl::StatusOr<std::string> ReadSecret(const std::string& file) {
  ASSIGN_OR_RETURN(std::string secret, client::ReadWholeFile(file));
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (!secret.empty() && secret.size() <= kLongestSecret) return secret;
  return Error(ErrorReason::kFieldInvalid, "--secret-file",
               absl::StrCat("its first line must be the shared secret, of 1 to ", kLongestSecret,
                            " octets"));
}

absl::StatusOr<doctor::Credential> ReadPair(const std::string& certificate,
                                            const std::string& key) {
  doctor::Credential pair;
  ASSIGN_OR_RETURN(pair.certificate_pem, client::ReadWholeFile(certificate));
  ASSIGN_OR_RETURN(pair.private_key_pem, client::ReadWholeFile(key));
  return pair;
}

absl::StatusOr<doctor::RadiusQuestion> QuestionOf(const DoctorOptions& options) {
  doctor::RadiusQuestion question;
  ASSIGN_OR_RETURN(question.target, ParseServer(options.server));
  ASSIGN_OR_RETURN(question.target.secret, ReadSecret(options.secret_file));
  ASSIGN_OR_RETURN(const absl::Duration limit, client::ParseLength(options.timeout));
  question.limit = absl::ToChronoMilliseconds(limit);
  question.identity = options.identity;
  question.server.name = options.server_name;
  if (!options.server_ca_file.empty()) {
    ASSIGN_OR_RETURN(question.server.roots_pem, client::ReadWholeFile(options.server_ca_file));
  }
  for (std::size_t i = 0; i + 1 < options.refused.size(); i += 2) {
    ASSIGN_OR_RETURN(doctor::Credential pair, ReadPair(options.refused[i], options.refused[i + 1]));
    question.refused.push_back(std::move(pair));
  }
  // Last: a certificate that is made and not used is one too many.
  if (options.certificate_file.empty()) {
    ASSIGN_OR_RETURN(question.canary, GetCanary(options.canary));
  } else {
    ASSIGN_OR_RETURN(question.canary, ReadPair(options.certificate_file, options.key_file));
  }
  return question;
}

Json ProbeAsJson(const doctor::AskedProbe& probe) {
  const doctor::ProbeResult& result = probe.result;
  Json json = {{"name", probe.name},
               {"must_be", probe.kind == doctor::ProbeKind::kCanary ? "accepted" : "refused"},
               {"outcome", std::string(doctor::ProbeEndName(result.end))},
               {"milliseconds", result.took.count()}};
  if (result.session_timeout.has_value()) json["session_timeout"] = *result.session_timeout;
  if (!result.alert.empty()) json["tls_alert"] = result.alert;
  if (!result.reply_message.empty()) json["reply_message"] = result.reply_message;
  return json;
}

std::string ProbesInWords(const std::vector<doctor::AskedProbe>& probes) {
  std::vector<std::vector<std::string>> rows;
  for (const doctor::AskedProbe& probe : probes) {
    const doctor::ProbeResult& result = probe.result;
    rows.push_back(
        {probe.name, probe.kind == doctor::ProbeKind::kCanary ? "accepted" : "refused",
         std::string(doctor::ProbeEndName(result.end)), absl::StrCat(result.took.count(), " ms"),
         result.session_timeout.has_value() ? absl::StrCat(*result.session_timeout, " s") : "-",
         result.reply_message.empty() ? result.alert : result.reply_message});
  }
  return client::FormatTable({"SHOWN", "MUST BE", "WAS", "IN", "SESSION", "SAID"}, rows);
}

absl::StatusOr<Answer> ExamineRadiusServer(const DoctorOptions& options) {
  ASSIGN_OR_RETURN(const doctor::RadiusQuestion question, QuestionOf(options));
  ASSIGN_OR_RETURN(
      const doctor::RadiusReport report,
      doctor::ExamineRadius(question, doctor::RealWays(question.target, question.limit),
                            [] { return absl::ToUnixSeconds(absl::Now()); }));
  Answer answer = AnswerOf(report.findings);
  answer.text = absl::StrCat(ProbesInWords(report.probes), "\n", answer.text);
  Json probes = Json::array();
  for (const doctor::AskedProbe& probe : report.probes) probes.push_back(ProbeAsJson(probe));
  answer.json["server"] = absl::StrCat(question.target.host, ":", question.target.port);
  answer.json["probes"] = std::move(probes);
  return answer;
}

// `check` throws where options are missing that only together are enough.
CLI::App* AddLocal(CLI::App& noun, CommandLine& line, const std::string& verb,
                   const std::string& description, const std::shared_ptr<DoctorOptions>& options,
                   Run run, void (*check)(const DoctorOptions&)) {
  CLI::App* command = noun.add_subcommand(verb, description);
  command->fallthrough();
  command->callback([&line, options, run, check] {
    check(*options);
    line.local_command = [options, run] { return run(*options); };
  });
  return command;
}

void CheckNothing(const DoctorOptions&) {}

void CheckExports(const DoctorOptions& options) {
  if (!options.nps_exports.empty() || !options.registry_exports.empty()) return;
  throw CLI::ValidationError("doctor windows", "give --nps-export, --registry-export or both");
}

void CheckCanary(const DoctorOptions& options) {
  if (!options.certificate_file.empty() || !options.canary.broker_config.empty()) return;
  throw CLI::ValidationError(
      "doctor radius", "give a canary with --certificate and --key, or --broker-config to get one");
}

void AddWindows(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = AddLocal(noun, line, "windows",
                               "Look for mistakes in what Windows exports of NPS and its registry",
                               options, ExamineWindows, CheckExports);
  command
      ->add_option("--nps-export", options->nps_exports,
                   "What netsh nps export or Export-NpsConfiguration wrote; may be repeated")
      ->type_name("FILE")
      ->expected(1, -1);
  command
      ->add_option("--registry-export", options->registry_exports,
                   "What reg export wrote of RasMan; once for each server")
      ->type_name("FILE")
      ->expected(1, -1);
}

void AddConfig(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App* command =
      AddLocal(noun, line, "config",
               "Look for mistakes in swanctl.conf, strongswan.conf and files of OpenVPN servers",
               options, ExamineConfig, CheckNothing);
  command->add_option("file", options->files, "The files (- for standard input)")
      ->required()
      ->type_name("FILE");
  client::OneOf(*command->add_option("--kind", options->kind,
                                     "Of which program they are, where that cannot be told"),
                kKinds);
}

void AddCanary(CLI::App& command, DoctorOptions& options) {
  CLI::Option* certificate =
      command
          .add_option("--certificate", options.certificate_file,
                      "A canary's certificate with its chain, PEM, as hourglass-broker gets it")
          ->type_name("FILE");
  CLI::Option* key = command.add_option("--key", options.key_file, "Its private key, PEM")
                         ->type_name("FILE")
                         ->needs(certificate);
  certificate->needs(key);
  CLI::Option* broker =
      command
          .add_option("--broker-config", options.canary.broker_config,
                      "Get a canary from the service instead, as the broker of this file")
          ->type_name("FILE")
          ->excludes(certificate);
  for (auto& [name, value, words, type] :
       {std::tuple<const char*, std::string*, const char*, const char*>{
            "--tenant", &options.canary.tenant, "The canary's tenant", "ID"},
        {"--user", &options.canary.user, "Its user principal name", "UPN"},
        {"--device", &options.canary.device, "Its device", "ID"}}) {
    CLI::Option* option = command.add_option(name, *value, words)->type_name(type)->needs(broker);
    broker->needs(option);
  }
  command
      .add_option("--user-id", options.canary.user_id, "Its user id, where the tenant wants one")
      ->type_name("ID")
      ->needs(broker);
  command
      .add_option("--access-token-file", options.canary.access_token_file,
                  "Its user's access token, where the tenant takes these")
      ->type_name("FILE")
      ->needs(broker);
}

void AddRadius(CLI::App& noun, CommandLine& line) {
  const auto options = std::make_shared<DoctorOptions>();
  CLI::App* command = AddLocal(noun, line, "radius", "Ask a RADIUS server whom it lets in", options,
                               ExamineRadiusServer, CheckCanary);
  command->add_option("server", options->server, "The server (port 1812 where none is given)")
      ->required()
      ->type_name("HOST[:PORT]");
  command
      ->add_option("--secret-file", options->secret_file,
                   "The secret that the server shares with this machine's address")
      ->required()
      ->type_name("FILE");
  AddCanary(*command, *options);
  command
      ->add_option("--identity", options->identity,
                   "User-Name (default: the certificate's user principal name)")
      ->type_name("UPN");
  command
      ->add_option("--refuse", options->refused,
                   "A certificate that must be refused, and its key: expired, of a retired root, "
                   "without the OID; may be repeated")
      ->type_name("CERTIFICATE KEY")
      ->type_size(2)
      ->expected(-1);
  command
      ->add_option("--server-ca", options->server_ca_file,
                   "The roots by which clients verify the server, PEM")
      ->type_name("FILE");
  command
      ->add_option("--server-name", options->server_name,
                   "The name by which clients know the server")
      ->type_name("DNS-NAME");
  command->add_option("--timeout", options->timeout, "Of each conversation (default: 10s)")
      ->check(IsLength())
      ->type_name("LENGTH");
}

}  // namespace

void AddGatewayDoctor(CLI::App& gateways, CommandLine& line) {
  CLI::App* noun = gateways.add_subcommand(
      "doctor", "Find what is wrong in a set-up that exists, and what would be right");
  noun->require_subcommand(1)->fallthrough();
  AddWindows(*noun, line);
  AddRadius(*noun, line);
  AddConfig(*noun, line);
}

}  // namespace hourglass::cli
