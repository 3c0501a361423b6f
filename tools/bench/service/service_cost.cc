#include "tools/bench/service/service_cost.h"

#include <unistd.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/status_macros.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::bench {
namespace {

// Counters of a moment.
struct Counters {
  explicit Counters(const ServiceProcess& service, const std::vector<pid_t>& keyholders)
      : server(CpuMicroseconds(service.pid())),
        keyholders(CpuMicroseconds(keyholders)),
        generator(CpuMicroseconds(getpid())),
        machine(MachineBusyMicroseconds()),
        written(WrittenBy(service.pid())) {}

  double server, keyholders, generator, machine;
  std::optional<Written> written;
};

void SetCosts(const Counters& before, const Counters& after, LoadCost& cost) {
  const auto certificates = static_cast<double>(cost.load.certificates);
  cost.server = (after.server - before.server) / certificates;
  cost.keyholders = (after.keyholders - before.keyholders) / certificates;
  cost.generator = (after.generator - before.generator) / certificates;
  cost.busy = (after.machine - before.machine) / 1e6 / cost.load.seconds /
              static_cast<double>(sysconf(_SC_NPROCESSORS_ONLN));
  if (before.written.has_value() && after.written.has_value()) {
    cost.written = {(after.written->by_calls - before.written->by_calls) / certificates,
                    (after.written->to_disk - before.written->to_disk) / certificates};
  }
}

// The sum of the counts in what `perf stat -x,` wrote: `COUNT,UNIT,EVENT,…` lines.
absl::StatusOr<double> SumOfCounts(const std::string& output) {
  double sum = 0;
  bool found = false;
  for (const absl::string_view line : absl::StrSplit(output, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ',');
    double count = 0;
    if (fields.size() < 3 || !absl::SimpleAtod(fields[0], &count)) continue;
    sum += count;
    found = true;
  }
  if (found) return sum;
  return absl::UnavailableError("perf stat counts no flushes here");
}

}  // namespace

std::vector<std::string> TenantIds(int tenants) {
  std::vector<std::string> ids;
  for (int i = 0; i < tenants; ++i) ids.push_back(absl::StrCat("t", i));
  return ids;
}

absl::StatusOr<LoadedService> StartService(ServiceOptions options, v1::KeyType root_type,
                                           int tenants) {
  options.tenant_ids = TenantIds(tenants);
  LoadedService service;
  ASSIGN_OR_RETURN(service.pool, PreparedRequests::Make({.tenant_ids = options.tenant_ids,
                                                         .devices_per_tenant = kDevicesOfATenant,
                                                         .tokens = options.tokens}));
  service.process = std::make_unique<ServiceProcess>(std::move(options));
  RETURN_IF_ERROR(service.process->Start());
  RETURN_IF_ERROR(service.process->MakeTenants(root_type, kDevicesOfATenant));
  ASSIGN_OR_RETURN(service.roots, service.process->Roots());
  service.process->WaitUntilSettled();
  return service;
}

absl::Status CheckLoad(const LoadedService& service, const LoadResult& load) {
  if (!load.errors.empty()) {
    return absl::InternalError(
        absl::StrCat("errors beside ", load.certificates, " certificates: ", load.ErrorText()));
  }
  if (load.certificates == 0) return absl::InternalError("no certificate came back");
  return CheckSamples(load, service.pool, service.roots);
}

absl::Status CheckOpenLoad(const LoadedService& service, const LoadResult& load) {
  LoadResult others = load;
  others.errors.erase(kOverloaded);
  return CheckLoad(service, others);
}

double Refusals(const LoadResult& load) {
  const auto refused = load.errors.find(kOverloaded);
  return refused == load.errors.end() ? 0 : static_cast<double>(refused->second);
}

void WaitForACertificate(LoadGenerator& load) {
  const auto limit = LoadClock::now() + kLoadDeadline;
  while (load.Certificates() == 0 && LoadClock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

absl::StatusOr<LoadCost> MeasureCost(LoadedService& service, const LoadOptions& options,
                                     const LoadWindow& window) {
  ASSIGN_OR_RETURN(const auto load, StartLoad(service.process->Target(), service.pool, options));
  std::this_thread::sleep_for(window.warm_up);
  const std::vector<pid_t> keyholders = service.process->Keyholders();
  load->Begin();
  const Counters before(*service.process, keyholders);
  std::this_thread::sleep_for(window.duration);
  WaitForACertificate(*load);
  const Counters after(*service.process, keyholders);
  LoadCost cost;
  cost.server_memory = ResidentMegabytes(service.process->pid());
  cost.keyholder_memory = ResidentMegabytes(keyholders);
  cost.load = load->End();
  const bool open = std::holds_alternative<OpenLoop>(options.arrivals);
  RETURN_IF_ERROR(open ? CheckOpenLoad(service, cost.load) : CheckLoad(service, cost.load));
  SetCosts(before, after, cost);
  return cost;
}

absl::StatusOr<double> FlushesPerCertificate(LoadedService& service, const LoadOptions& options,
                                             const LoadWindow& window) {
  const TemporaryDirectory directory;
  ASSIGN_OR_RETURN(const auto load, StartLoad(service.process->Target(), service.pool, options));
  std::this_thread::sleep_for(window.warm_up);
  // Its own start takes a while: so it counts for so long, and what it counts is a rate.
  const double seconds = std::chrono::duration<double>(window.duration).count();
  BackgroundProcess counting(
      {"sh", "-c", "command -v perf && exec \"$@\"", "sh", "perf", "stat", "-x,", "-e",
       "syscalls:sys_enter_fdatasync,syscalls:sys_enter_fsync", "-p",
       absl::StrCat(service.process->pid()), "--", "sleep", absl::StrCat(seconds)},
      directory.File("count"));
  load->Begin();
  while (counting.Running()) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  // Without perf(1) that was at once.
  WaitForACertificate(*load);
  const LoadResult result = load->End();
  RETURN_IF_ERROR(CheckLoad(service, result));
  ASSIGN_OR_RETURN(const double flushes, SumOfCounts(counting.Log()));
  return flushes / seconds / result.CertificatesPerSecond();
}

}  // namespace hourglass::bench
