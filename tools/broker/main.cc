// hourglass-broker: gets certificates, and keeps them fresh.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <random>

#include "hsm/base/error.h"
#include "hsm/key/key_type.h"
#include "tools/broker/enrolling.h"
#include "tools/broker/keeping.h"
#include "tools/broker/report.h"
#include "tools/client/arguments.h"
#include "tools/client/connection_config.h"
#include "tools/client/files.h"
#include "tools/client/usage.h"

namespace hourglass::broker {
namespace {

using agent::Random;
using agent::Waiter;

constexpr char kFooter[] =
    "\nExamples:\n"
    "  hourglass-broker issue --config broker.yaml --tenant contoso --user user@contoso.example "
    "\\\n"
    "      --device laptop-1 --key-out user.key --out user.pem\n"
    "  hourglass-broker run --config broker.yaml --tenant contoso --user user@contoso.example \\\n"
    "      --device laptop-1 --key-out user.key --out user.pem --on-renew 'systemctl reload vpn'\n"
    "\nExit codes: 0 done, 1 refused or failed, 2 wrong usage";

// The command line's texts before they are understood.
struct Words {
  std::string key_type = "ec-p256";
  std::string timeout = "30s";
};

void AddConfig(CLI::App& command, Options& options) {
  command
      .add_option(
          "--config", options.config_file,
          "How to reach the service, see docs/broker.md (default: $HOURGLASS_BROKER_CONFIG)")
      ->envname("HOURGLASS_BROKER_CONFIG")
      ->required()
      ->type_name("FILE");
}

constexpr char kSignWith[] =
    "The shell command that signs as the device: what is in $HOURGLASS_STATEMENT, into "
    "$HOURGLASS_SIGNATURE (docs/device-keys.md)";

void AddWho(CLI::App& command, Options& options) {
  AddConfig(command, options);
  command.add_option("--tenant", options.bearer.tenant, "The tenant's id")
      ->required()
      ->type_name("ID");
  command.add_option("--user", options.bearer.user, "The user principal name")
      ->required()
      ->type_name("UPN");
  command.add_option("--device", options.bearer.device, "The device that holds the key")
      ->required()
      ->type_name("ID");
  command
      .add_option(
          "--user-id", options.bearer.user_id,
          "The user's id in the directory; needed where the UPN is longer than 64 characters")
      ->type_name("ID");
  command
      .add_option("--access-token-file", options.bearer.access_token_file,
                  "The user's access token, where the tenant takes these; read for each question")
      ->type_name("FILE");
  command.add_option("--sign-with", options.bearer.sign_with, kSignWith)->type_name("COMMAND");
}

void AddWhere(CLI::App& command, Options& options, Words& words) {
  command
      .add_option("--out", options.out.certificate,
                  "The certificate's file (PEM) to replace, or - for standard output")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--key-out", options.out.key,
                  "Make a key, and put it here (PKCS#8 PEM, mode 0600); the same as --out keeps "
                  "both in one file")
      ->type_name("FILE");
  CLI::Option* const key_type = command.add_option("--key-type", words.key_type,
                                                   "The kind of key to make (default: ec-p256)");
  client::OneOf(*key_type, hsm::KeyTypeNames());
  command
      .add_option(
          "--csr", options.csr_file,
          "Ask for the key of this PKCS#10 request (PEM or DER, - for standard input) instead")
      ->type_name("FILE");
  command.add_option("--chain-out", options.out.chain, "Put the certificates above it here (PEM)")
      ->type_name("FILE");
  command.add_flag("--json", options.json, "Say it in JSON");
  command.parse_complete_callback([&options, key_type] {
    if (options.csr_file.empty() == options.out.key.empty()) {
      throw CLI::ValidationError("--key-out", "give either --key-out, to make a key, or --csr");
    }
    if (key_type->count() > 0 && options.out.key.empty()) {
      throw CLI::ValidationError("--key-type", "goes with --key-out only");
    }
    const std::string& chain = options.out.chain;
    if (!chain.empty() && chain != client::kStandardStream &&
        (chain == options.out.certificate || chain == options.out.key)) {
      throw CLI::ValidationError("--chain-out", "must be a file of its own");
    }
  });
}

void AddIssue(CLI::App& app, Options& options, Words& words) {
  CLI::App* issue = app.add_subcommand("issue", "Get one certificate");
  AddWho(*issue, options);
  AddWhere(*issue, options, words);
  issue
      ->add_option("--timeout", words.timeout,
                   "Try so long while the service is away or overloaded (default: 30s)")
      ->check(CLI::Validator(
          [](std::string& text) {
            const auto length = client::ParseLength(text);
            return length.ok() ? std::string() : std::string(length.status().message());
          },
          ""))
      ->type_name("LENGTH");
}

void AddRun(CLI::App& app, Options& options, Words& words) {
  CLI::App* run = app.add_subcommand(
      "run", "Keep a certificate fresh until SIGTERM or SIGINT; an expired one is removed");
  AddWho(*run, options);
  AddWhere(*run, options, words);
  run->add_option(
         "--on-renew", options.on_renew,
         "Run this shell command after every renewal, with HOURGLASS_CERTIFICATE and HOURGLASS_KEY "
         "naming the files; a minute at most")
      ->type_name("COMMAND");
}

void AddEnrolDevice(CLI::App& app, Options& options) {
  CLI::App* enrol =
      app.add_subcommand("enrol-device",
                         "Bring the key by which the device proves that it asks; an administrator "
                         "approves it");
  Enrolment& enrolment = options.enrolment;
  AddConfig(*enrol, options);
  enrol->add_option("--tenant", enrolment.tenant, "The tenant's id")->required()->type_name("ID");
  enrol->add_option("--device", enrolment.device, "The device whose key it is")
      ->required()
      ->type_name("ID");
  enrol
      ->add_option("--public-key", enrolment.public_key_file,
                   "The device's public key (PEM or DER, - for standard input)")
      ->required()
      ->type_name("FILE");
  enrol->add_option("--sign-with", enrolment.sign_with, kSignWith)
      ->required()
      ->type_name("COMMAND");
  enrol
      ->add_option("--access-token-file", enrolment.access_token_file,
                   "A user's access token that names the device, where the tenant takes these: it "
                   "approves the first key that the device ever has")
      ->type_name("FILE");
  enrol->add_flag("--json", options.json, "Say it in JSON");
}

bool UsesStandardOutput(const OutputPaths& paths) {
  return paths.certificate == client::kStandardStream || paths.key == client::kStandardStream ||
         paths.chain == client::kStandardStream;
}

int Fail(const Options& options, const absl::Status& status) {
  std::cerr << (options.json ? client::JsonText(client::FailureAsJson(status))
                             : "hourglass-broker: " + client::FailureInWords(status));
  return client::kExitFailed;
}

int Issue(const Options& options, const client::ConnectionConfig& config, Waiter& waiter,
          const Random& random) {
  const auto issued = IssueOne(options, config, waiter, random);
  if (!issued.ok()) return Fail(options, issued.status());
  // What asked for the files themselves there does not want words between them.
  (UsesStandardOutput(options.out) ? std::cerr : std::cout)
      << (options.json ? client::JsonText(CertificateAsJson(*issued, options.bearer, options.out))
                       : CertificateInWords(*issued, options.bearer, options.out))
      << std::flush;
  return client::kExitOk;
}

int EnrolDevice(const Options& options, const client::ConnectionConfig& config, Waiter& waiter) {
  const auto key = Enrol(options.enrolment, config, waiter);
  if (!key.ok()) return Fail(options, key.status());
  std::cout << (options.json ? client::JsonText(EnrolledAsJson(*key)) : EnrolledInWords(*key))
            << std::flush;
  return client::kExitOk;
}

int Main(int argc, char** argv) {
  CLI::App app;
  Options options;
  Words words;
  client::NameProgram(app, "hourglass-broker",
                      "Gets certificates that live an hour, and keeps them fresh.");
  app.require_subcommand(1);
  AddIssue(app, options, words);
  AddRun(app, options, words);
  AddEnrolDevice(app, options);
  app.footer(kFooter);
  if (const auto exit_code = client::ParseArguments(app, argc, argv)) return *exit_code;
  // Both have been checked.
  options.key_type = *hsm::ParseKeyType(words.key_type);
  options.timeout = *client::ParseLength(words.timeout);

  auto waiter = Waiter::Create(app.got_subcommand("run"));
  if (!waiter.ok()) return Fail(options, waiter.status());
  const auto config = client::LoadConnectionConfig(options.config_file);
  if (!config.ok()) return Fail(options, config.status());
  const auto connection = client::Connection::Open(*config);
  if (!connection.ok()) return Fail(options, connection.status());
  if (app.got_subcommand("enrol-device")) return EnrolDevice(options, *config, *waiter);
  std::mt19937_64 generator{std::random_device()()};
  const Random random = [&generator] { return std::uniform_real_distribution<>(0, 1)(generator); };
  if (app.got_subcommand("issue")) return Issue(options, *config, *waiter, random);
  if (UsesStandardOutput(options.out)) {
    return Fail(options, Error(ErrorReason::kFieldInvalid, "--out",
                               "standard output cannot be kept fresh: name files, or use issue"));
  }
  const absl::Status status = KeepFresh(options, *config, *waiter, random);
  return status.ok() ? client::kExitOk : Fail(options, status);
}

}  // namespace
}  // namespace hourglass::broker

int main(int argc, char** argv) try {
  return hourglass::broker::Main(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hourglass-broker: %s\n", error.what());
  return 1;
}
