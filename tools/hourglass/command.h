// What every command of the administrator's program is made of.
#ifndef HOURGLASS_TOOLS_HOURGLASS_COMMAND_H_
#define HOURGLASS_TOOLS_HOURGLASS_COMMAND_H_

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tools/client/connection.h"
#include "tools/client/failure.h"

namespace hourglass::cli {

// Records that a listing gives at once at most, as the protos have it for each `page_size`.
inline constexpr std::uint32_t kLargestPage = 1000;

// What a command was given beyond its own options. Lives as long as the command runs.
struct Session {
  const client::Connection& connection;
  bool json = false;

  absl::Time Now() const { return absl::Now(); }
};

// What a command found, in both forms; the program prints one of them on standard output.
struct Answer {
  std::string text;  // as it is, also octets
  client::Json json;
  int exit_code = client::kExitOk;
};

using Command = std::function<absl::StatusOr<Answer>(const Session&)>;
// One that asks no service.
using LocalCommand = std::function<absl::StatusOr<Answer>()>;

// The command line as parsed so far: the chosen command, and the options that all share.
struct CommandLine {
  std::string config_file;
  bool json = false;
  // Exactly one of them is set once a command was chosen.
  Command command;
  LocalCommand local_command;
  // Why this command cannot do without the service, for those who gave no --config; may be empty.
  std::string needs_service_because;
};

// Adds a subcommand to `noun` that, when chosen, runs `run` with `options`, which its own options
// fill.
template <typename Options>
CLI::App* AddCommand(CLI::App& noun, CommandLine& line, const std::string& verb,
                     const std::string& description, const std::shared_ptr<Options>& options,
                     absl::StatusOr<Answer> (*run)(const Options&, const Session&)) {
  CLI::App* command = noun.add_subcommand(verb, description);
  command->fallthrough();
  command->callback([&line, options, run] {
    line.command = [options, run](const Session& session) { return run(*options, session); };
  });
  return command;
}

// `--tenant ID`, required.
CLI::Option* AddTenantOption(CLI::App& command, std::string& tenant);

// `--reason REASON`, for the journal, as the protos have it: 1 to 256 octets of UTF-8.
CLI::Option* AddReasonOption(CLI::App& command, std::string& reason);
// What such a reason may be.
CLI::Validator IsReason();

// `text` must be what client::ParseLength takes.
CLI::Validator IsLength();
// What client::ParsePastTime takes.
CLI::Validator IsPastTime();
// What client::ParseTime takes.
CLI::Validator IsTime();
// What client::ParseSerialNumber takes.
CLI::Validator IsSerialNumber();

// Each adds the subcommand of one noun with its verbs to `app`. `line` must outlive `app`.
void AddTenants(CLI::App& app, CommandLine& line);
void AddRoots(CLI::App& app, CommandLine& line);
// The verb of `roots` that lists the certificates of issuing sub-keys.
void AddIntermediates(CLI::App& roots, CommandLine& line);
void AddCertificates(CLI::App& app, CommandLine& line);
void AddDevices(CLI::App& app, CommandLine& line);
void AddPolicies(CLI::App& app, CommandLine& line);
void AddUsers(CLI::App& app, CommandLine& line);
// The verb of `users` that reads exports.
void AddUserImport(CLI::App& users, CommandLine& line);
// The verbs `block` and `unblock` of `devices` or `users`.
void AddBlocking(CLI::App& noun, CommandLine& line, bool is_device);
void AddBlocks(CLI::App& app, CommandLine& line);
void AddDeviceKeys(CLI::App& app, CommandLine& line);
void AddCompliance(CLI::App& app, CommandLine& line);
void AddKeys(CLI::App& app, CommandLine& line);
void AddClock(CLI::App& app, CommandLine& line);
void AddRotation(CLI::App& app, CommandLine& line);
void AddRelyingParties(CLI::App& app, CommandLine& line);
void AddJournal(CLI::App& app, CommandLine& line);
void AddDecisions(CLI::App& app, CommandLine& line);
void AddService(CLI::App& app, CommandLine& line);
void AddStore(CLI::App& app, CommandLine& line);
void AddGateways(CLI::App& app, CommandLine& line);
// The verb `doctor` of `gateways`.
void AddGatewayDoctor(CLI::App& gateways, CommandLine& line);

}  // namespace hourglass::cli

#endif  // HOURGLASS_TOOLS_HOURGLASS_COMMAND_H_
