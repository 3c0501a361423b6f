// hourglass: the administrator's program.
#include <signal.h>

#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>

#include "hsm/key/secure_heap.h"
#include "hsm/keyholder/process/confinement.h"
#include "tools/client/connection_config.h"
#include "tools/client/usage.h"
#include "tools/client/wording.h"
#include "tools/hourglass/command.h"
#include "tools/hourglass/keys/module_inventory.h"
#include "tools/hourglass/profiles.h"

namespace hourglass::cli {
namespace {

constexpr char kFooter[] =
    "\nExamples:\n"
    "  hourglass --config cli.yaml tenants create contoso\n"
    "  hourglass --config cli.yaml roots create --tenant contoso --duration 2y --key-type ec-p256 "
    "--primary\n"
    "  hourglass --config cli.yaml rotation status --tenant contoso\n"
    "  hourglass keys probe --module /usr/lib/softhsm/libsofthsm2.so\n"
    "  hourglass --config cli.yaml certificates list --tenant contoso --from 1h\n"
    "  hourglass --config cli.yaml compliance evaluate --tenant contoso --user "
    "user@contoso.example --device laptop-1\n"
    "\nExit codes: 0 done, 1 refused or failed, 2 wrong usage";

void Describe(CLI::App& app, CommandLine& line) {
  client::NameProgram(app, "hourglass", "Administers an Hourglass certificate authority.");
  app.require_subcommand(1);
  app.add_option("--config", line.config_file,
                 "How to reach the service, see docs/cli.md (default: $HOURGLASS_CONFIG)")
      ->envname("HOURGLASS_CONFIG")
      ->type_name("FILE");
  app.add_flag("--json", line.json, "Answer in JSON; accepted behind the subcommand too");
  // Subcommands take over the footer that is there when they are added.
  app.footer("--config FILE and --json are accepted here too; see hourglass --help");
  AddTenants(app, line);
  AddRoots(app, line);
  AddRotation(app, line);
  AddRelyingParties(app, line);
  AddGateways(app, line);
  AddCertificates(app, line);
  AddJournal(app, line);
  AddDecisions(app, line);
  AddDevices(app, line);
  AddPolicies(app, line);
  AddUsers(app, line);
  AddBlocks(app, line);
  AddDeviceKeys(app, line);
  AddCompliance(app, line);
  AddKeys(app, line);
  AddClock(app, line);
  AddService(app, line);
  AddStore(app, line);
  AddProfiles(app, line);
  app.footer(kFooter);
  // After the command was chosen: some ask no service.
  app.final_callback([&line] {
    if (!line.command || !line.config_file.empty()) return;
    std::string mistake = "--config is required";
    if (!line.needs_service_because.empty()) mistake += ": " + line.needs_service_because;
    throw CLI::RequiredError(mistake, CLI::ExitCodes::RequiredError);
  });
}

absl::StatusOr<Answer> RunCommand(const CommandLine& line) {
  if (line.local_command) {
    // For keys that open into this process. As far as this account's limit of locked memory allows:
    // a command lives for seconds.
    static_cast<void>(hsm::InitializeSecureHeap());
    static_cast<void>(hsm::ForbidDumps());
    signal(SIGPIPE, SIG_IGN);
    return line.local_command();
  }
  const auto config = client::LoadConnectionConfig(line.config_file);
  if (!config.ok()) return config.status();
  const auto connection = client::Connection::Open(*config);
  if (!connection.ok()) return connection.status();
  return line.command(Session{*connection, line.json});
}

int Print(const CommandLine& line, const absl::StatusOr<Answer>& answer) {
  if (!answer.ok()) {
    std::cerr << (line.json ? client::JsonText(client::FailureAsJson(answer.status()))
                            : "hourglass: " + client::FailureInWords(answer.status()));
    return client::kExitFailed;
  }
  // Nothing where the command has printed all itself.
  const bool is_printed = answer->json.is_null() && answer->text.empty();
  if (is_printed) return answer->exit_code;
  std::cout << (line.json ? client::JsonText(answer->json) : answer->text) << std::flush;
  if (!std::cout) {
    std::cerr << "hourglass: cannot write the answer to standard output\n";
    return client::kExitFailed;
  }
  return answer->exit_code;
}

int Main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], kInventoryArgument) == 0) ServeInventory(argc - 2, argv + 2);
  CLI::App app;
  CommandLine line;
  Describe(app, line);
  if (const auto exit_code = client::ParseArguments(app, argc, argv)) return *exit_code;
  return Print(line, RunCommand(line));
}

}  // namespace
}  // namespace hourglass::cli

int main(int argc, char** argv) try {
  return hourglass::cli::Main(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hourglass: %s\n", error.what());
  return 1;
}
