// hourglass-compliance: the compliance engine as a service of its own.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/process/account.h"
#include "hsm/keyholder/process/call_filter.h"
#include "hsm/keyholder/process/confinement.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/compliance/policy.h"
#include "issuance/config/config.h"
#include "issuance/edge/file_limit.h"
#include "issuance/log/event_log.h"
#include "issuance/server/compliance_server.h"
#include "issuance/server/start_check.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tools/hourglassd/accounts.h"
#include "tools/hourglassd/service_process.h"
#include "tools/version/version.h"

namespace hourglass {
namespace {

constexpr issuance::Program kThis = issuance::Program::kCompliance;

// Before any thread is made: gives up root, and the right to start anything.
absl::Status Confine(const Accounts& accounts) {
  if (accounts.service.has_value()) RETURN_IF_ERROR(hsm::BecomeAccount(*accounts.service));
  RETURN_IF_ERROR(hsm::ForbidDumps());
  return hsm::ForbidCalls(hsm::CallFilter::kService);
}

// The exit code.
absl::StatusOr<int> ServeUntilStopped(const issuance::Config& config, const sigset_t& awaited,
                                      const issuance::EventLog& log) {
  const issuance::SystemClock clock;
  const issuance::LinuxKernelTime kernel;
  issuance::SystemEntropy entropy;
  issuance::RaiseFileLimit();
  RETURN_IF_ERROR(issuance::CheckStart(config, clock, issuance::TakenAddress::kRefused));
  ASSIGN_OR_RETURN(const std::unique_ptr<issuance::Server> server,
                   issuance::StartComplianceServer(config, &clock, &kernel, &entropy, &log));
  return ServeUntilAsked(*server, config, awaited, log);
}

// What the start would refuse, and more that it would only log: certificates that are not valid
// now, and policies with mistakes, with which it denies.
absl::Status CheckAll(const std::string& config_file) {
  ASSIGN_OR_RETURN(const issuance::Config config, LoadAndStayTheService(config_file, kThis));
  if (!config.compliance.policy_directory.empty()) {
    RETURN_IF_ERROR(issuance::CheckPolicyFiles(config.compliance.policy_directory));
  }
  return issuance::CheckStart(config, issuance::SystemClock(), issuance::TakenAddress::kFine);
}

int Check(const std::string& config_file) {
  const absl::Status checked = CheckAll(config_file);
  if (!checked.ok()) return Fail(checked);
  std::printf("%s: the configuration is valid\n", config_file.c_str());
  return 0;
}

int Run(const std::string& config_file, bool check_only) {
  const sigset_t awaited = PrepareProcess();
  if (check_only) return Check(config_file);
  absl::StatusOr<Loaded> loaded = LoadAsAccounts(config_file, issuance::FileChecks::kStart, kThis);
  if (!loaded.ok()) return Fail(loaded.status());
  loaded->config.program_version = kVersion;
  const absl::Status confined = Confine(loaded->accounts);
  if (!confined.ok()) return Fail(confined);
  return ServeWithLog(loaded->config, [&](const issuance::EventLog& log) {
    return ServeUntilStopped(loaded->config, awaited, log);
  });
}

}  // namespace
}  // namespace hourglass

int main(int argc, char** argv) try {
  CLI::App app("Hourglass: whether a device may connect now", "hourglass-compliance");
  std::string config_file;
  bool check_only = false;
  app.add_option("--config", config_file, "Configuration file (YAML)")->required();
  app.add_flag("--check", check_only,
               "Validate the configuration, say each mistake with file, line and field, and exit");
  app.set_version_flag("--version", hourglass::VersionLine("hourglass-compliance"));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return hourglass::Run(config_file, check_only);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hourglass-compliance: %s\n", error.what());
  return 1;
}
