// hourglassd as the benchmarks run it: a process of its own with everything on, mutual TLS, the
// embedded compliance service, the journal on disk, a log in a file.
#ifndef HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_PROCESS_H_
#define HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_PROCESS_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hourglass/v1/roots.pb.h"
#include "tests/support/mutual_tls.h"
#include "tests/support/service_client.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/load/certificate_check.h"
#include "tools/bench/load/load_generator.h"
#include "tools/bench/load/request_tokens.h"

namespace hourglass::bench {

// The policies of tenants in a folder of their own.
class TenantPolicies {
 public:
  // Of each of these tenants, kTestPolicy.
  explicit TenantPolicies(const std::vector<std::string>& tenant_ids);

  const std::string& directory() const { return directory_.path(); }
  // Until a service keeps what it reads of them: it reads young files again and again.
  void WaitUntilSettled() const;

 private:
  TemporaryDirectory directory_;
  std::chrono::steady_clock::time_point settled_at_;
};

struct ServiceOptions {
  std::string program = {};  // hourglassd, absolute
  std::vector<std::string> tenant_ids = {};
  // What follows `keys:` in the configuration, YAML flow style; empty: software keys in
  // keys_directory().
  std::string keys = {};
  // What follows `store:`, YAML flow style; empty: SQLite in data_directory().
  std::string store = {};
  // Of all the tenants; null: the service's own.
  std::shared_ptr<const TenantPolicies> policies = {};
  // All tenants take access tokens of this issuer alone; null: their brokers' word. Must outlive
  // the service.
  const RequestTokens* tokens = nullptr;
  std::string log_level = "info";
  // The processors that it may use, by number; empty: all that this process may.
  std::vector<int> processors = {};
};

// The processors that this process may use, by number.
std::vector<int> UsableProcessors();
// Confines the calling thread, and the threads and processes that it starts from then on.
void ConfineThisThread(const std::vector<int>& processors);
// Confines every thread that this process has.
void ConfineThisProcess(const std::vector<int>& processors);

class ServiceProcess : public ServiceClient {
 public:
  // Writes the configuration and, where none are given, the tenants' policies; starts nothing yet.
  explicit ServiceProcess(ServiceOptions options);

  // Both may be filled before the service starts.
  std::string data_directory() const { return directory_.File("data"); }
  std::string keys_directory() const { return directory_.File("keys"); }

  // Starts it and waits until it listens. Errors: UNAVAILABLE with the end of its log.
  absl::Status Start();
  std::chrono::steady_clock::time_point started_at() const { return started_at_; }
  // SIGTERM. Errors: INTERNAL where it does not end well.
  absl::Status Stop();

  // As TenantPolicies::WaitUntilSettled.
  void WaitUntilSettled() const { policies_->WaitUntilSettled(); }

  pid_t pid() const { return process_->pid(); }
  std::vector<pid_t> Keyholders() const;

  // Makes the tenants, a primary each, and their devices 0 to `devices` - 1, all compliant.
  absl::Status MakeTenants(v1::KeyType key_type, int devices);
  absl::Status ReportDevices(int devices);
  absl::StatusOr<PrimaryRoots> Roots();
  // As a broker of every tenant.
  LoadTarget Target();

 private:
  void WriteConfiguration();
  // `tenants:` of the configuration, with what they take for whom a certificate is for.
  std::string TenantsYaml() const;
  absl::Status MakeRoot(const std::string& tenant_id, v1::KeyType key_type);

  const ServiceOptions options_;
  const std::shared_ptr<const TenantPolicies> policies_;
  TemporaryDirectory directory_;
  std::string config_file_;
  std::string address_file_;
  std::chrono::steady_clock::time_point started_at_;
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_SERVICE_SERVICE_PROCESS_H_
