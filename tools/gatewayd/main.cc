// hourglass-gatewayd: ends the tunnels of whoever's certificates should count no more.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <iostream>
#include <random>
#include <string>

#include "tools/agent/waiter.h"
#include "tools/client/connection.h"
#include "tools/client/failure.h"
#include "tools/client/usage.h"
#include "tools/gatewayd/following.h"
#include "tools/gatewayd/gateway_config.h"

namespace hourglass::gatewayd {
namespace {

constexpr char kFooter[] =
    "\nExample:\n"
    "  hourglass-gatewayd --config /etc/hourglass/gateway.yaml\n"
    "\nExit codes: 0 told to stop, 1 it cannot begin, 2 wrong usage";

int Fail(bool json, const absl::Status& status) {
  std::cerr << (json ? client::JsonText(client::FailureAsJson(status))
                     : "hourglass-gatewayd: " + client::FailureInWords(status));
  return client::kExitFailed;
}

int Main(int argc, char** argv) {
  CLI::App app;
  std::string config_file;
  bool json = false;
  bool check = false;
  client::NameProgram(app, "hourglass-gatewayd",
                      "Follows the decisions of a tenant until SIGTERM or SIGINT, and ends the "
                      "tunnels of those whose certificates should count no more.");
  app.add_option("--config", config_file,
                 "Where the service and the gateways are, see docs/gatewayd.md (default: "
                 "$HOURGLASS_GATEWAYD_CONFIG)")
      ->envname("HOURGLASS_GATEWAYD_CONFIG")
      ->required()
      ->type_name("FILE");
  app.add_flag("--check", check, "Say whether the configuration is in order, and end");
  app.add_flag("--json", json, "Say it in JSON");
  app.footer(kFooter);
  if (const auto exit_code = client::ParseArguments(app, argc, argv)) return *exit_code;

  auto waiter = agent::Waiter::Create(/*for_long=*/true);
  if (!waiter.ok()) return Fail(json, waiter.status());
  const auto config = LoadGatewayConfig(config_file);
  if (!config.ok()) return Fail(json, config.status());
  const auto connection = client::Connection::Open(config->connection);
  if (!connection.ok()) return Fail(json, connection.status());
  if (check) return client::kExitOk;
  std::mt19937_64 generator{std::random_device()()};
  const absl::Status status = Follow(*config, json, *waiter, [&generator] {
    return std::uniform_real_distribution<>(0, 1)(generator);
  });
  return status.ok() ? client::kExitOk : Fail(json, status);
}

}  // namespace
}  // namespace hourglass::gatewayd

int main(int argc, char** argv) try {
  return hourglass::gatewayd::Main(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hourglass-gatewayd: %s\n", error.what());
  return 1;
}
