// hourglass-bundle: keeps the roots that a gateway trusts up to date, and says so to the service.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <random>

#include "hsm/base/error.h"
#include "tools/bundle/following.h"
#include "tools/client/arguments.h"
#include "tools/client/connection_config.h"
#include "tools/client/failure.h"
#include "tools/client/files.h"
#include "tools/client/usage.h"

namespace hourglass::bundle {
namespace {

constexpr char kFooter[] =
    "\nExample:\n"
    "  hourglass-bundle sync --config bundle.yaml --tenant contoso --trust first-roots.pem \\\n"
    "      --out /etc/freeradius/3.0/certs/hourglass.pem --on-change 'systemctl restart "
    "freeradius'\n"
    "\nExit codes: 0 done, 1 refused or failed, 2 wrong usage";

// The command line's texts before they are understood.
struct Words {
  std::string format = "pem";
  std::string hook_timeout = "60s";
};

void AddWhat(CLI::App& command, Options& options, Words& words) {
  command
      .add_option(
          "--config", options.config_file,
          "How to reach the service, see docs/bundle.md (default: $HOURGLASS_BUNDLE_CONFIG)")
      ->envname("HOURGLASS_BUNDLE_CONFIG")
      ->required()
      ->type_name("FILE");
  command.add_option("--tenant", options.tenant, "The tenant's id")->required()->type_name("ID");
  command.add_option("--out", options.out, "The file to replace, which the gateway reads")
      ->required()
      ->type_name("FILE");
  client::OneOf(
      *command.add_option("--format", words.format,
                          "pem: all roots; der: the one root there is; p7b: PKCS#7 (default: pem)"),
      BundleFormatNames());
  command
      .add_option("--trust", options.trust,
                  "Roots (PEM) that were had from an administrator: one of them must have signed "
                  "the first bundle; read only while there is no state")
      ->required()
      ->type_name("FILE");
  command
      .add_option("--state", options.state,
                  "What was accepted last, and what was done with it (default: FILE.state beside "
                  "--out)")
      ->type_name("FILE");
}

void AddSync(CLI::App& app, Options& options, Words& words) {
  CLI::App* sync = app.add_subcommand(
      "sync", "Follow the tenant's trust bundle until SIGTERM or SIGINT, and acknowledge it");
  AddWhat(*sync, options, words);
  sync->add_option(
          "--on-change", options.on_change,
          "Run this shell command after the file has changed, and once where the command itself "
          "has, with HOURGLASS_BUNDLE_FILE, HOURGLASS_BUNDLE_VERSION and HOURGLASS_BUNDLE_TENANT; "
          "it is tried again until it succeeds, and only then the bundle is acknowledged")
      ->type_name("COMMAND");
  sync->add_option("--hook-timeout", words.hook_timeout,
                   "How long that command may take (default: 60s)")
      ->check(CLI::Validator(
          [](std::string& text) {
            const auto length = client::ParseLength(text);
            return length.ok() ? std::string() : std::string(length.status().message());
          },
          ""))
      ->type_name("LENGTH");
  sync->add_flag("--once", options.once, "Get the bundle once, and end");
  sync->add_flag("--json", options.json, "Say it in JSON");
  sync->parse_complete_callback([&options] {
    if (options.state.empty()) options.state = options.out + ".state";
    if (options.state == options.out || options.state == options.trust) {
      throw CLI::ValidationError("--state", "must be a file of its own");
    }
    if (options.trust == options.out) {
      throw CLI::ValidationError("--trust", "must be another file than --out");
    }
  });
}

int Fail(const Options& options, const absl::Status& status) {
  std::cerr << (options.json ? client::JsonText(client::FailureAsJson(status))
                             : "hourglass-bundle: " + client::FailureInWords(status));
  return client::kExitFailed;
}

absl::Status Sync(const Options& options, const client::ConnectionConfig& config,
                  agent::Waiter& waiter) {
  if (options.out == client::kStandardStream || options.state == client::kStandardStream) {
    return Error(ErrorReason::kFieldInvalid, "--out",
                 "standard output cannot be kept up to date: name files");
  }
  if (options.once) return FollowOnce(options, config, waiter);
  std::mt19937_64 generator{std::random_device()()};
  return Follow(options, config, waiter,
                [&generator] { return std::uniform_real_distribution<>(0, 1)(generator); });
}

int Main(int argc, char** argv) {
  CLI::App app;
  Options options;
  Words words;
  client::NameProgram(app, "hourglass-bundle", "Keeps the roots that a gateway trusts up to date.");
  app.require_subcommand(1);
  AddSync(app, options, words);
  app.footer(kFooter);
  if (const auto exit_code = client::ParseArguments(app, argc, argv)) return *exit_code;
  // Both have been checked.
  options.format = BundleFormatOf(words.format);
  options.hook_timeout = *client::ParseLength(words.hook_timeout);

  auto waiter = agent::Waiter::Create(!options.once);
  if (!waiter.ok()) return Fail(options, waiter.status());
  const auto config = client::LoadConnectionConfig(options.config_file);
  if (!config.ok()) return Fail(options, config.status());
  const auto connection = client::Connection::Open(*config);
  if (!connection.ok()) return Fail(options, connection.status());
  const absl::Status status = Sync(options, *config, *waiter);
  return status.ok() ? client::kExitOk : Fail(options, status);
}

}  // namespace
}  // namespace hourglass::bundle

int main(int argc, char** argv) try {
  return hourglass::bundle::Main(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hourglass-bundle: %s\n", error.what());
  return 1;
}
