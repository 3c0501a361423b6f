// hourglassd: the certificate authority as a service.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_store.h"
#include "hsm/keyholder/confinement.h"
#include "hsm/secure_heap.h"
#include "issuance/clock.h"
#include "issuance/compliance/policy.h"
#include "issuance/config.h"
#include "issuance/entropy.h"
#include "issuance/event_log.h"
#include "issuance/open_tenants.h"
#include "issuance/server.h"
#include "issuance/store/sqlite_check.h"
#include "issuance/timekeeping/kernel_time.h"

namespace hourglass {
namespace {

constexpr std::chrono::seconds kStopGrace(30);

// Written whole or not at all: whoever waits for the file never reads half an address.
absl::Status WriteAddressFile(const std::string& path, const std::string& address) {
  const std::string temporary = absl::StrCat(path, ".new");
  std::ofstream out(temporary, std::ios::trunc);
  out << address << '\n';
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(temporary, path, error);
  if (!out || error) {
    return Error(ErrorReason::kConfigurationInvalid, "address_file",
                 absl::StrCat("cannot write ", path));
  }
  return absl::OkStatus();
}

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

absl::Status Serve(const issuance::Config& config, const sigset_t& stop_signals) {
  ASSIGN_OR_RETURN(const issuance::EventLog log,
                   issuance::EventLog::ToStandardError(config.log_level));
  const issuance::SystemClock clock;
  const issuance::LinuxKernelTime kernel;
  issuance::SystemEntropy entropy;
  absl::StatusOr<std::unique_ptr<issuance::Server>> server =
      issuance::Server::Start(config, &clock, &kernel, &entropy, &log);
  if (!server.ok()) {
    log.Failure("start_failed", {{"message", std::string(server.status().message())}});
    return server.status();
  }
  if (!config.address_file.empty()) {
    RETURN_IF_ERROR(WriteAddressFile(config.address_file, (*server)->address()));
  }
  log.Info("serving", {{"address", (*server)->address()},
                       {"metrics_address", (*server)->metrics_address()},
                       {"data_directory", config.data_directory}});
  int received = 0;
  sigwait(&stop_signals, &received);
  log.Info("stopping", {{"signal", strsignal(received)}});
  (*server)->Stop(kStopGrace);
  log.Info("stopped", {});
  return absl::OkStatus();
}

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

// The policies too: the service starts without a sound one, and then denies to its tenant.
int Check(const issuance::Config& config, const std::string& config_file) {
  if (!config.compliance.policy_directory.empty()) {
    const absl::Status policies = issuance::CheckPolicyFiles(config.compliance.policy_directory);
    if (!policies.ok()) return Fail(policies);
  }
  const std::vector<std::string> open =
      issuance::TenantsOfAnyDomain(config, issuance::ConfiguredTenants(config));
  if (!open.empty()) {
    std::printf(
        "%s: warning: tenants without upn_domains, whose brokers may ask for a certificate for any "
        "user: %s\n",
        config_file.c_str(), issuance::TenantsInWords(open).c_str());
  }
  std::printf("%s: the configuration is valid\n", config_file.c_str());
  return 0;
}

// Every octet of it, which may take minutes; for a service that is stopped.
int CheckDatabase(const issuance::Config& config) {
  const std::string path = absl::StrCat(config.data_directory, "/hourglass.sqlite");
  const absl::StatusOr<std::vector<std::string>> findings = issuance::CheckSqliteStore(path);
  if (!findings.ok()) return Fail(findings.status());
  for (const std::string& finding : *findings) std::fprintf(stderr, "%s\n", finding.c_str());
  if (!findings->empty()) return 1;
  std::printf("%s: the database is sound\n", path.c_str());
  return 0;
}

enum class Task { kServe, kCheck, kCheckDatabase };

int Run(const std::string& config_file, Task task) {
  // Before any thread is made, so that all of them leave these signals to Serve.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGINT);
  sigaddset(&stop_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  // A file that outgrows its limit is a failed write, said as such, and not the end of the process.
  signal(SIGXFSZ, SIG_IGN);
  // Nor is a TPM that hangs up on this process.
  signal(SIGPIPE, SIG_IGN);
  // Debian builds abseil with a search for deadlocks at each lock of gRPC's, which costs a
  // fortieth of a certificate and is for those who change gRPC.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);

  const absl::StatusOr<issuance::Config> config =
      issuance::LoadConfig(config_file, task == Task::kCheck ? issuance::FileChecks::kAll
                                                             : issuance::FileChecks::kStart);
  if (!config.ok()) return Fail(config.status());
  if (task == Task::kCheck) return Check(*config, config_file);
  if (task == Task::kCheckDatabase) return CheckDatabase(*config);
  absl::Status served = ProtectMemory(*config);
  if (served.ok()) served = Serve(*config, stop_signals);
  if (!served.ok()) {
    std::fprintf(stderr, "hourglassd: %s\n", std::string(served.message()).c_str());
    return 1;
  }
  return 0;
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
         "damaged or missing, and exit")
      ->excludes("--check");
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
