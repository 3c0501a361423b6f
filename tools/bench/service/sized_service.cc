#include "tools/bench/service/sized_service.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hourglass/v1/devices.pb.h"
#include "hsm/base/status_macros.h"
#include "hsm/store/key_store.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/rotation/testing/many_tenants.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/testing/fill_journal.h"
#include "issuance/store/testing/sample_records.h"
#include "tools/bench/report/options.h"

namespace hourglass::bench {
namespace {

// The journal's own tenant: after all others, so that it is nobody's first.
constexpr char kArchive[] = "zz-archive";
// What a record takes on the disk, with all that helps to find it, and a half more for safety.
constexpr std::uint64_t kOctetsPerRecord = 3000;
constexpr std::chrono::seconds kFirstCertificateLimit(120);

absl::Status CheckRoom(const std::string& directory, std::int64_t records) {
  std::error_code error;
  const auto space = std::filesystem::space(directory, error);
  const std::uint64_t needed = static_cast<std::uint64_t>(records) * kOctetsPerRecord;
  if (!error && space.available >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the disk has no room for ", records,
                                                   " records: ", needed / 1'000'000, " MB needed"));
}

// What the service would have kept in its data directory and its folder of keys.
absl::Status Fill(const ServiceProcess& service, const ServiceSize& size) {
  RETURN_IF_ERROR(CheckRoom(service.data_directory(), size.journal_records));
  const issuance::SystemClock clock;
  issuance::SystemEntropy entropy;
  ASSIGN_OR_RETURN(const auto store,
                   issuance::OpenSqliteStore(issuance::SqliteStorePath(service.data_directory())));
  hsm::KeyStoreOptions options;
  options.software_directory = service.keys_directory();
  ASSIGN_OR_RETURN(const auto keys, hsm::KeyStore::Create(options));
  ASSIGN_OR_RETURN(
      const std::vector<std::string> tenant_ids,
      issuance::MakeTenants({.tenants = size.tenants}, store.get(), keys.get(), &entropy, &clock));
  v1::DeviceState state;
  state.mutable_disk_encryption()->set_enabled(true);
  for (const std::string& tenant_id : tenant_ids) {
    RETURN_IF_ERROR(store->PutDevice({tenant_id, DeviceIdOf(0), state.SerializeAsString(),
                                      clock.Now(), std::string(kAdministrator)}));
  }
  if (size.journal_records == 0) return absl::OkStatus();
  RETURN_IF_ERROR(issuance::AddSamplePrimary(*store, kArchive));
  return issuance::FillJournal(*store, kArchive, size.journal_records);
}

// Starts the service and asks until it gives a certificate; seconds since its exec.
absl::StatusOr<double> StartAndAsk(LoadedService& service) {
  ServiceProcess& process = *service.process;
  RETURN_IF_ERROR(process.Start());
  const auto issuer = process.As<v1::CertificateIssuer>(kWideBroker);
  RequestIds ids;
  while (std::chrono::steady_clock::now() < process.started_at() + kFirstCertificateLimit) {
    v1::IssueCertificateRequest request;
    request.ParseFromString(service.pool[0].head);
    request.set_request_id(ids.Next());
    v1::IssueCertificateResponse response;
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + kLoadDeadline);
    if (issuer->IssueCertificate(&context, request, &response).ok()) {
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - process.started_at())
          .count();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return absl::UnavailableError("no first certificate after the start");
}

// CPU microseconds for each of the first certificates of all tenants.
absl::StatusOr<double> TouchAll(LoadedService& service, int tenants) {
  const double before = CpuMicroseconds(service.process->pid());
  ASSIGN_OR_RETURN(const auto load,
                   StartLoad(service.process->Target(), service.pool,
                             {.arrivals = ClosedLoop{.outstanding = std::min(tenants, 32)}}));
  load->Begin();
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(15);
  while (load->Certificates() < static_cast<std::uint64_t>(tenants) &&
         std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const double after = CpuMicroseconds(service.process->pid());
  const LoadResult result = load->End();
  RETURN_IF_ERROR(CheckLoad(service, result));
  return (after - before) / static_cast<double>(result.certificates);
}

}  // namespace

absl::StatusOr<SizedService> StartSized(const std::string& program, const ServiceSize& size,
                                        int starts) {
  ServiceOptions options = {.program = program};
  for (int i = 0; i < size.tenants; ++i) options.tenant_ids.push_back(issuance::TenantIdOf(i));
  SizedService sized;
  // As many requests as tenants, or the first round would meet some of them twice.
  ASSIGN_OR_RETURN(sized.service.pool, PreparedRequests::Make({.tenant_ids = options.tenant_ids,
                                                               .devices_per_tenant = 1,
                                                               .requests = size.tenants}));
  sized.service.process = std::make_unique<ServiceProcess>(std::move(options));
  RETURN_IF_ERROR(Fill(*sized.service.process, size));
  sized.service.process->WaitUntilSettled();
  std::vector<double> seconds;
  for (int i = 0; i < starts; ++i) {
    if (i > 0) RETURN_IF_ERROR(sized.service.process->Stop());
    ASSIGN_OR_RETURN(const double taken, StartAndAsk(sized.service));
    seconds.push_back(taken);
  }
  std::sort(seconds.begin(), seconds.end());
  sized.start_seconds = seconds[seconds.size() / 2];
  ASSIGN_OR_RETURN(sized.service.roots, sized.service.process->Roots());
  ASSIGN_OR_RETURN(sized.first_touch, TouchAll(sized.service, size.tenants));
  return sized;
}

}  // namespace hourglass::bench
