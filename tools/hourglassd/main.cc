// hourglassd: the certificate authority as a service.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/secure_heap.h"
#include "hsm/keyholder/process/account.h"
#include "hsm/keyholder/process/call_filter.h"
#include "hsm/keyholder/process/confinement.h"
#include "hsm/keyholder/process/worker_parent.h"
#include "hsm/store/custodians.h"
#include "hsm/store/key_store.h"
#include "issuance/authorities/open_tenants.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/compliance/policy.h"
#include "issuance/config/config.h"
#include "issuance/config/pin_warnings.h"
#include "issuance/edge/file_limit.h"
#include "issuance/log/event_log.h"
#include "issuance/server/server.h"
#include "issuance/server/start_check.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tools/hourglassd/accounts.h"
#include "tools/hourglassd/database_check.h"
#include "tools/hourglassd/service_process.h"
#include "tools/version/version.h"

namespace hourglass {
namespace {

// Whether any tenant's leaves are signed by an issuing sub-key.
bool HasSubKeys(const issuance::Config& config) {
  return config.issuing.sub_key.enabled ||
         std::any_of(config.tenants.begin(), config.tenants.end(),
                     [](const auto& tenant) { return tenant.second.sub_key.enabled; });
}

// Before any key is in this process's memory, and any thread made.
absl::Status ProtectMemory(const issuance::Config& config) {
  RETURN_IF_ERROR(hsm::ForbidDumps());
  const hsm::KeyStoreOptions& keys = config.keys;
  const bool holds_keys = !keys.software_directory.empty() ||
                          (keys.tpm.has_value() && !keys.tpm->sealed_directory.empty()) ||
                          HasSubKeys(config);
  return holds_keys ? hsm::InitializeSecureHeap() : absl::OkStatus();
}

// Before any thread is made: forks what starts the key holders, then gives up whatever this process
// does not need: root, and the right to start anything.
absl::Status Confine(const issuance::Config& config, const Accounts& accounts) {
  // Only what starts others under another account has to be root's.
  const bool root_starts = accounts.keyholders.has_value();
  if (root_starts) RETURN_IF_ERROR(hsm::ForkWorkerParent(config.keys, accounts.keyholders));
  if (accounts.service.has_value()) RETURN_IF_ERROR(hsm::BecomeAccount(*accounts.service));
  if (!root_starts) RETURN_IF_ERROR(hsm::ForkWorkerParent(config.keys, std::nullopt));
  RETURN_IF_ERROR(ProtectMemory(config));
  // Modules that are loaded into this process may do what those of key holders may.
  const bool holds_modules = config.keys.keyholder_program.empty() &&
                             (!config.keys.tokens.empty() || config.keys.tpm.has_value());
  return hsm::ForbidCalls(holds_modules ? hsm::CallFilter::kKeyholder : hsm::CallFilter::kService);
}

// The exit code.
absl::StatusOr<int> ServeUntilStopped(const issuance::Config& config, const sigset_t& awaited,
                                      const issuance::EventLog& log) {
  for (const std::string& warning : issuance::PinsInEnvironment(config.keys)) {
    log.Warning("pin_in_environment", {{"message", warning}});
  }
  const issuance::SystemClock clock;
  const issuance::LinuxKernelTime kernel;
  issuance::SystemEntropy entropy;
  issuance::RaiseFileLimit();
  RETURN_IF_ERROR(issuance::CheckStart(config, clock, issuance::TakenAddress::kRefused));
  ASSIGN_OR_RETURN(const std::unique_ptr<issuance::Server> server,
                   issuance::Server::Start(config, &clock, &kernel, &entropy, &log));
  return ServeUntilAsked(*server, config, awaited, log);
}

// What the start would refuse, and more that it would only log: modules that are not there,
// certificates that are not valid now, and policies with mistakes, with which it denies.
absl::Status CheckAll(const std::string& config_file) {
  ASSIGN_OR_RETURN(const issuance::Config config, LoadAndStayTheService(config_file));
  if (!config.compliance.policy_directory.empty()) {
    RETURN_IF_ERROR(issuance::CheckPolicyFiles(config.compliance.policy_directory));
  }
  const std::vector<std::string> open =
      issuance::TenantsOfAnyDomain(config, issuance::ConfiguredTenants(config));
  if (!open.empty()) {
    std::printf(
        "%s: warning: tenants without upn_domains, whose brokers may ask for a certificate for any "
        "user: %s\n",
        config_file.c_str(), issuance::TenantsInWords(open).c_str());
  }
  if (config.store.postgresql.has_value() && !config.store.postgresql->demands_standby()) {
    std::printf(
        "%s: warning: synchronous_standby is waived: certificates may be forgotten with the "
        "database's server\n",
        config_file.c_str());
  }
  for (const issuance::Caller& caller : config.callers) {
    const std::string warning = issuance::WarningAbout(caller);
    if (!warning.empty()) {
      std::printf("warning: caller %s %s\n", caller.name.c_str(), warning.c_str());
    }
  }
  for (const std::string& warning : issuance::PinsInEnvironment(config.keys)) {
    std::printf("%s: warning: %s\n", config_file.c_str(), warning.c_str());
  }
  RETURN_IF_ERROR(ProtectMemory(config));
  return issuance::CheckStart(config, issuance::SystemClock(), issuance::TakenAddress::kFine);
}

int Check(const std::string& config_file) {
  const absl::Status checked = CheckAll(config_file);
  if (!checked.ok()) return Fail(checked);
  std::printf("%s: the configuration is valid\n", config_file.c_str());
  return 0;
}

int CheckDatabase(const std::string& config_file) {
  const absl::Status became = BecomeTheServicesAccount(config_file);
  if (!became.ok()) return Fail(became);
  const absl::StatusOr<issuance::Config> config = issuance::LoadConfig(config_file);
  if (!config.ok()) return Fail(config.status());
  const absl::StatusOr<DatabaseCheck> check = CheckConfiguredDatabase(*config);
  if (!check.ok()) return Fail(check.status());
  for (const std::string& finding : check->findings) std::fprintf(stderr, "%s\n", finding.c_str());
  if (!check->findings.empty()) return 1;
  std::printf("%s\n", check->sound.c_str());
  return 0;
}

enum class Task { kServe, kCheck, kCheckDatabase };

int Run(const std::string& config_file, Task task) {
  const sigset_t awaited = PrepareProcess();
  if (task == Task::kCheck) return Check(config_file);
  if (task == Task::kCheckDatabase) return CheckDatabase(config_file);
  absl::StatusOr<Loaded> loaded = LoadAsAccounts(config_file, issuance::FileChecks::kStart);
  if (!loaded.ok()) return Fail(loaded.status());
  loaded->config.program_version = kVersion;
  const absl::Status confined = Confine(loaded->config, loaded->accounts);
  if (!confined.ok()) return Fail(confined);
  return ServeWithLog(loaded->config, [&](const issuance::EventLog& log) {
    return ServeUntilStopped(loaded->config, awaited, log);
  });
}

}  // namespace
}  // namespace hourglass

int main(int argc, char** argv) try {
  CLI::App app("Hourglass: one-hour certificates for conditional access", "hourglassd");
  std::string config_file;
  bool check_only = false, check_database = false;
  app.add_option("--config", config_file, "Configuration file (YAML)")->required();
  app.add_flag("--check", check_only,
               "Validate the configuration, say each mistake with file, line and field, and exit");
  app.add_flag(
         "--check-database", check_database,
         "Read all of the database and the journal, of a service that is stopped, say what is "
         "damaged or missing, and exit; of PostgreSQL only whether the service can use it")
      ->excludes("--check");
  app.set_version_flag("--version", hourglass::VersionLine("hourglassd"));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  using hourglass::Task;
  return hourglass::Run(config_file, check_only       ? Task::kCheck
                                     : check_database ? Task::kCheckDatabase
                                                      : Task::kServe);
} catch (const std::exception& error) {
  std::fprintf(stderr, "hourglassd: %s\n", error.what());
  return 1;
}
