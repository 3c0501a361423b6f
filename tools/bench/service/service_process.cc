#include "tools/bench/service/service_process.h"

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/status_macros.h"
#include "tools/bench/service/process_usage.h"

namespace hourglass::bench {
namespace {

constexpr std::chrono::minutes kStartLimit(5);
constexpr std::chrono::milliseconds kPoliciesSettleAfter(2100);

absl::Status StatusOf(const char* what, const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()),
                      absl::StrCat(what, ": ", status.error_message()));
}

// The thread of this id, or the calling one where it is 0. To no processors: changes nothing.
void Confine(pid_t thread, const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : processors) CPU_SET(processor, &set);
  if (!processors.empty()) (void)sched_setaffinity(thread, sizeof(set), &set);
}

}  // namespace

std::vector<int> UsableProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> usable;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return usable;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &set)) usable.push_back(i);
  }
  return usable;
}

void ConfineThisThread(const std::vector<int>& processors) { Confine(0, processors); }

void ConfineThisProcess(const std::vector<int>& processors) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    pid_t thread = 0;
    if (absl::SimpleAtoi(entry.path().filename().string(), &thread)) Confine(thread, processors);
  }
}

TenantPolicies::TenantPolicies(const std::vector<std::string>& tenant_ids) {
  for (const std::string& tenant_id : tenant_ids) {
    directory_.Write(absl::StrCat(tenant_id, ".yaml"), kTestPolicy);
  }
  settled_at_ = std::chrono::steady_clock::now() + kPoliciesSettleAfter;
}

void TenantPolicies::WaitUntilSettled() const { std::this_thread::sleep_until(settled_at_); }

ServiceProcess::ServiceProcess(ServiceOptions options)
    : options_(std::move(options)),
      policies_(options_.policies != nullptr
                    ? options_.policies
                    : std::make_shared<TenantPolicies>(options_.tenant_ids)),
      address_file_(directory_.File("address")) {
  for (const char* folder : {"data", "keys"}) mkdir(directory_.File(folder).c_str(), 0700);
  WriteConfiguration();
}

std::string ServiceProcess::TenantsYaml() const {
  if (options_.tokens == nullptr) return "";
  const std::string fields =
      RequestTokens::TenantFields(directory_.Write("keys.json", options_.tokens->KeySet()));
  std::string yaml = "tenants:\n";
  for (const std::string& tenant_id : options_.tenant_ids) {
    absl::StrAppend(&yaml, "  ", tenant_id, ": {", fields, "}\n");
  }
  return yaml;
}

void ServiceProcess::WriteConfiguration() {
  const TlsCredential server = tls().Server();
  const std::string keys = options_.keys.empty()
                               ? absl::StrCat("{software_directory: ", keys_directory(), "}")
                               : options_.keys;
  std::string yaml =
      absl::StrCat("listen: 127.0.0.1:0\naddress_file: address\ndata_directory: ", data_directory(),
                   "\ntls:\n  certificate: ", server.certificate_file,
                   "\n  private_key: ", server.private_key_file,
                   "\n  trusted_roots: ", tls().trusted_roots_file(), "\nkeys: ", keys,
                   "\ncompliance: {embedded: {policy_directory: ", policies_->directory(),
                   "}}\nlog_level: ", options_.log_level,
                   // All brokers are of this one machine.
                   "\nlimits: {connections: 100000, connections_per_source: 100000, ",
                   // Counted, and never too many.
                   "device_requests: {requests: 1000000, per: 1s}}", "\ncallers:\n");
  for (const issuance::Caller& caller : TestCallers()) {
    if (!caller.all_tenants) continue;
    absl::StrAppend(&yaml, "  - {name: ", caller.name, ", identity: \"", caller.identity,
                    "\", roles: [", issuance::RoleName(caller.roles.front()),
                    "], tenants: [\"*\"]}\n");
  }
  if (!options_.store.empty()) absl::StrAppend(&yaml, "store: ", options_.store, "\n");
  yaml += TenantsYaml();
  config_file_ = directory_.Write("hourglassd.yaml", yaml);
}

absl::Status ServiceProcess::Start() {
  process_.reset();
  unlink(address_file_.c_str());
  const std::vector<int> own_processors = UsableProcessors();
  ConfineThisThread(options_.processors);
  started_at_ = std::chrono::steady_clock::now();
  process_ = std::make_unique<BackgroundProcess>(
      std::vector<std::string>{options_.program, "--config", config_file_}, directory_.File("log"));
  ConfineThisThread(own_processors);
  // Written whole when the service is ready.
  while (process_->Running() && std::chrono::steady_clock::now() < started_at_ + kStartLimit) {
    if (access(address_file_.c_str(), R_OK) == 0) {
      Connect(std::string(absl::StripSuffix(ReadFileOrDie(address_file_), "\n")));
      return absl::OkStatus();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const std::string log = ReadFileOrDie(directory_.File("log"));
  return absl::UnavailableError(
      absl::StrCat("hourglassd does not start: ",
                   log.substr(log.size() - std::min<std::size_t>(log.size(), 500))));
}

absl::Status ServiceProcess::Stop() {
  const int exit_code = process_->Stop(SIGTERM);
  if (exit_code == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("hourglassd ended with ", exit_code));
}

// A child of the service's starts them.
std::vector<pid_t> ServiceProcess::Keyholders() const {
  std::vector<pid_t> keyholders;
  for (const pid_t child : ChildrenOf(pid())) {
    for (const pid_t keyholder : ChildrenOf(child)) keyholders.push_back(keyholder);
  }
  return keyholders;
}

absl::Status ServiceProcess::MakeTenants(v1::KeyType key_type, int devices) {
  for (const std::string& tenant_id : options_.tenant_ids) {
    v1::CreateTenantRequest request;
    request.set_tenant_id(tenant_id);
    v1::Tenant tenant;
    grpc::ClientContext context;
    RETURN_IF_ERROR(
        StatusOf("a tenant",
                 As<v1::TenantService>(kAdministrator)->CreateTenant(&context, request, &tenant)));
    RETURN_IF_ERROR(MakeRoot(tenant_id, key_type));
  }
  return ReportDevices(devices);
}

absl::Status ServiceProcess::MakeRoot(const std::string& tenant_id, v1::KeyType key_type) {
  v1::CreateRootRequest request;
  request.set_tenant_id(tenant_id);
  request.mutable_duration()->set_seconds(365 * 86400);
  request.set_key_type(key_type);
  request.set_make_primary(true);
  v1::Root root;
  grpc::ClientContext context;
  return StatusOf("a root",
                  As<v1::RootService>(kAdministrator)->CreateRoot(&context, request, &root));
}

absl::Status ServiceProcess::ReportDevices(int devices) {
  const auto service = As<v1::DeviceService>(kWideReporter);
  for (const std::string& tenant_id : options_.tenant_ids) {
    for (int i = 0; i < devices; ++i) {
      v1::ReportDeviceRequest request;
      request.set_tenant_id(tenant_id);
      request.set_device_id(DeviceIdOf(i));
      request.mutable_state()->mutable_disk_encryption()->set_enabled(true);
      v1::Device device;
      grpc::ClientContext context;
      RETURN_IF_ERROR(StatusOf("a device", service->ReportDevice(&context, request, &device)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<PrimaryRoots> ServiceProcess::Roots() {
  PrimaryRoots primary_roots;
  const auto service = As<v1::RootService>(kAdministrator);
  for (const std::string& tenant_id : options_.tenant_ids) {
    v1::ListRootsRequest request;
    request.set_tenant_id(tenant_id);
    v1::ListRootsResponse response;
    grpc::ClientContext context;
    RETURN_IF_ERROR(StatusOf("the roots", service->ListRoots(&context, request, &response)));
    for (const v1::Root& root : response.roots()) {
      if (root.state() == v1::PRIMARY) primary_roots[tenant_id] = root.certificate();
    }
  }
  return primary_roots;
}

LoadTarget ServiceProcess::Target() {
  const TlsCredential& credential = CredentialOf(kWideBroker);
  return {address(), ReadFileOrDie(tls().trusted_roots_file()),
          ReadFileOrDie(credential.certificate_file), ReadFileOrDie(credential.private_key_file)};
}

}  // namespace hourglass::bench
