#include "issuance/server/server.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/store/key_store.h"
#include "issuance/admission/lanes.h"
#include "issuance/authorities/key_warm_up.h"
#include "issuance/authorities/open_tenants.h"
#include "issuance/authorities/sub_keys.h"
#include "issuance/authorities/tenants.h"
#include "issuance/calls/call_bounds.h"
#include "issuance/calls/call_pool.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/compliance/compliance_client.h"
#include "issuance/compliance/embedded_stub.h"
#include "issuance/compliance/engine.h"
#include "issuance/edge/edge.h"
#include "issuance/edge/memory_guard.h"
#include "issuance/edge/transport/open_calls.h"
#include "issuance/edge/transport/transport_limits.h"
#include "issuance/pipeline/group_commit.h"
#include "issuance/pipeline/issuance_load.h"
#include "issuance/pipeline/pipeline.h"
#include "issuance/rotation/key_administration.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/server/certificate_ends.h"
#include "issuance/server/journal_retention.h"
#include "issuance/server/key_events.h"
#include "issuance/server/metrics.h"
#include "issuance/services/clock_service.h"
#include "issuance/services/compliance_service.h"
#include "issuance/services/device_service.h"
#include "issuance/services/issuer_service.h"
#include "issuance/services/journal_service.h"
#include "issuance/services/key_service.h"
#include "issuance/services/root_service.h"
#include "issuance/services/tenant_service.h"
#include "issuance/store/sqlite/sqlite_store.h"
#include "issuance/store/sqlite/sqlite_time_records.h"
#include "issuance/timekeeping/time_guard.h"

namespace hourglass::issuance {
namespace {

struct TlsMaterial {
  std::string certificate;
  std::string private_key;
  std::string trusted_roots;
};

absl::StatusOr<std::string> ReadFile(const std::string& path, absl::string_view field) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  if (!in || !content) {
    return Error(ErrorReason::kConfigurationInvalid, field, absl::StrCat("cannot read ", path));
  }
  return content.str();
}

absl::StatusOr<TlsMaterial> ReadTls(const TlsFiles& files, absl::string_view field) {
  TlsMaterial tls;
  ASSIGN_OR_RETURN(tls.certificate,
                   ReadFile(files.certificate, absl::StrCat(field, ".certificate")));
  ASSIGN_OR_RETURN(tls.private_key,
                   ReadFile(files.private_key, absl::StrCat(field, ".private_key")));
  ASSIGN_OR_RETURN(tls.trusted_roots,
                   ReadFile(files.trusted_roots, absl::StrCat(field, ".trusted_roots")));
  return tls;
}

absl::Status AddOwn(const TlsFiles& files, absl::string_view field,
                    std::vector<CertificateEnds::Own>* own) {
  ASSIGN_OR_RETURN(const TlsMaterial tls, ReadTls(files, field));
  own->push_back({absl::StrCat(field, ".certificate"), tls.certificate});
  own->push_back({absl::StrCat(field, ".trusted_roots"), tls.trusted_roots, true});
  return absl::OkStatus();
}

using ComplianceStub = std::unique_ptr<v1::ComplianceService::StubInterface>;

absl::StatusOr<ComplianceStub> RemoteCompliance(const ComplianceConfig& config) {
  ASSIGN_OR_RETURN(TlsMaterial tls, ReadTls(config.tls, "compliance.tls"));
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = std::move(tls.trusted_roots);
  options.pem_private_key = std::move(tls.private_key);
  options.pem_cert_chain = std::move(tls.certificate);
  grpc::ChannelArguments arguments;
  if (!config.server_name.empty()) arguments.SetSslTargetNameOverride(config.server_name);
  // Where verdicts come from is for the configuration to say, and not for https_proxy.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // After an outage verdicts are to be had again within seconds of the other's return.
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return v1::ComplianceService::NewStub(
      grpc::CreateCustomChannel(config.endpoint, grpc::SslCredentials(options), arguments));
}

// Calls on a connection that is an hour old (below) are cut off after this time: a stream must not
// outlive it for ever.
constexpr int kConnectionGraceMilliseconds = 5 * 60 * 1000;

// Whoever stays connected proves who it is once an hour; its certificate's period, and whether it
// is refused, are looked at all the time (CallerDirectory).
constexpr int kMaxConnectionAgeMilliseconds = 60 * 60 * 1000;

// How long clients have to hang up by themselves before they are cut off.
constexpr std::chrono::milliseconds kHangUp(100);

// The time by which everything is decided. In the order in which they depend on each other.
struct Timekeeping {
  std::unique_ptr<TimeRecords> records;
  std::unique_ptr<TimeGuard> guard;
};

absl::StatusOr<Timekeeping> KeepTime(const std::string& store_path, const Clock* clock,
                                     const KernelTime* kernel, const EventLog& log) {
  Timekeeping time;
  ASSIGN_OR_RETURN(time.records, OpenSqliteTimeRecords(store_path));
  ASSIGN_OR_RETURN(time.guard, TimeGuard::Create(time.records.get(), clock, kernel, log));
  time.guard->Watch();
  return time;
}

class RunningServer final : public Server {
 public:
  RunningServer(std::unique_ptr<Store> store, std::unique_ptr<KeyEvents> key_events,
                std::unique_ptr<hsm::KeyStore> keys, std::unique_ptr<RevocationLists> revocations,
                CallerDirectory callers, const Config& config, Timekeeping time, Entropy* entropy,
                const EventLog* log)
      : store_(std::move(store)),
        time_(std::move(time)),
        key_events_(std::move(key_events)),
        keys_(std::move(keys)),
        revocations_(std::move(revocations)),
        callers_(std::move(callers)),
        journal_(store_.get(), store_.get()),
        sub_keys_(store_.get(), entropy, clock_, *log),
        tenants_(store_.get(), keys_.get(), config.issuing, config.tenants, &sub_keys_,
                 static_cast<std::size_t>(config.limits.loaded_tenants)),
        roots_(store_.get(), keys_.get(), &tenants_, entropy, clock_, *log),
        key_administration_(store_.get(), keys_.get(), &roots_),
        entropy_(entropy),
        log_(log),
        pool_({.changes_waiting = static_cast<std::size_t>(config.limits.queue_length),
               .listings_waiting = 4 * static_cast<std::size_t>(config.limits.queue_length)}),
        open_calls_(OpenCalls::LimitsFor(static_cast<std::size_t>(config.limits.queue_length))),
        calls_(&callers_, &pool_,
               CallLimitsFor(static_cast<std::size_t>(config.limits.queue_length)), &open_calls_,
               &failed_calls_, log),
        tenant_service_(&calls_, store_.get(), clock_, log),
        root_service_(&calls_, &roots_, store_.get(), store_.get(), log),
        key_service_(&calls_, &key_administration_, clock_, log),
        journal_service_(&calls_, store_.get(), store_.get()),
        device_service_(&calls_, store_.get(), store_.get(), clock_, log),
        clock_service_(&calls_, time_.guard.get()),
        edge_(&callers_, revocations_.get(), &open_calls_, clock_, log) {}

  ~RunningServer() override { Stop(std::chrono::milliseconds(0)); }

  absl::Status ConnectCompliance(const ComplianceConfig& config) {
    ComplianceStub stub;
    if (config.endpoint.empty()) {
      engine_.emplace(config.policy_directory, store_.get(), clock_, *log_);
      stub = EmbeddedComplianceStub(&*engine_);
    } else {
      ASSIGN_OR_RETURN(stub, RemoteCompliance(config));
    }
    ComplianceClientOptions options;
    options.deadline = config.deadline;
    compliance_.emplace(std::move(stub), options, clock_);
    pipeline_.emplace(&tenants_, &*compliance_, &journal_, entropy_, clock_, *log_, &load_);
    compliance_service_.emplace(&calls_, &tenants_, &*compliance_);
    return absl::OkStatus();
  }

  void OpenLanes(const LimitsConfig& limits) {
    LaneOptions options;
    // A compliance service elsewhere may take its time for every request.
    if (engine_.has_value()) {
      options.swift_lanes = static_cast<int>(std::max(1U, std::thread::hardware_concurrency())) + 1;
    }
    options.patient_lanes = limits.workers;
    options.queue_length = static_cast<std::size_t>(limits.queue_length);
    lanes_.emplace(&*pipeline_, options, clock_, log_, &load_);
    issuer_service_.emplace(&calls_, &*lanes_, store_.get(), &counters_, clock_, log_);
  }

  absl::Status ServeMetrics(const std::string& listen) {
    if (listen.empty()) return absl::OkStatus();
    ASSIGN_OR_RETURN(metrics_,
                     Metrics::Serve(listen, {keys_.get(), &counters_, &load_, time_.guard.get(),
                                             &*ends_, &failed_calls_}));
    return absl::OkStatus();
  }

  absl::Status WatchEnds(const Config& config) {
    std::vector<CertificateEnds::Own> own;
    RETURN_IF_ERROR(AddOwn(config.tls, "tls", &own));
    if (!config.compliance.endpoint.empty()) {
      RETURN_IF_ERROR(AddOwn(config.compliance.tls, "compliance.tls", &own));
    }
    ends_.emplace(own, store_.get(), clock_, *log_);
    ends_->Watch();
    return absl::OkStatus();
  }

  absl::Status WarmUp() {
    ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, store_->ListTenants());
    std::vector<std::string> tenant_ids;
    for (const TenantRecord& tenant : tenants) tenant_ids.push_back(tenant.tenant_id);
    warm_up_.emplace(tenant_ids, &tenants_, keys_.get(), *log_);
    return absl::OkStatus();
  }

  void KeepJournalFor(std::optional<std::chrono::seconds> retention) {
    if (!retention.has_value()) return;
    retention_.emplace(*retention, store_.get(), time_.records.get(), clock_, *log_);
  }

  absl::Status Listen(const Config& config, TlsMaterial tls) {
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = std::move(tls.trusted_roots);
    options.pem_key_cert_pairs.push_back({std::move(tls.private_key), std::move(tls.certificate)});
    grpc::EnableDefaultHealthCheckService(true);
    grpc::ServerBuilder builder;
    LimitTransport(builder);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxConnectionAgeMilliseconds);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kConnectionGraceMilliseconds);
    builder.RegisterService(&*issuer_service_);
    builder.RegisterService(&tenant_service_);
    builder.RegisterService(&root_service_);
    builder.RegisterService(&key_service_);
    builder.RegisterService(&journal_service_);
    builder.RegisterService(&device_service_);
    builder.RegisterService(&clock_service_);
    builder.RegisterService(&*compliance_service_);
    const EdgeOptions edge = {config.listen, config.limits.connections,
                              config.limits.connections_per_source};
    ASSIGN_OR_RETURN(server_, edge_.Start(edge, builder, grpc::SslServerCredentials(options)));
    server_->GetHealthCheckService()->SetServingStatus(true);
    address_ = absl::StrCat(config.listen.substr(0, config.listen.rfind(':')), ":", edge_.port());
    memory_guard_.emplace(edge_.port(), *log_);
    return absl::OkStatus();
  }

  const std::string& address() const override { return address_; }
  std::string metrics_address() const override {
    return metrics_ == nullptr ? "" : metrics_->address();
  }

  void Stop(std::chrono::milliseconds grace) override {
    edge_.Stop();
    if (server_ == nullptr) return;
    server_->GetHealthCheckService()->SetServingStatus(false);
    // gRPC's own graceful shutdown waits for clients to hang up, and idle ones take seconds to
    // notice. What matters is that every call is answered; after that, connections are closed.
    issuer_service_->StopStreams();
    calls_.StopTakingCalls(grace);
    server_->Shutdown(std::chrono::system_clock::now() + kHangUp);
    server_->Wait();
    server_.reset();
    memory_guard_.reset();
  }

 private:
  // In the order in which they depend on each other: the last is destroyed first.
  std::unique_ptr<Store> store_;
  Timekeeping time_;
  const Clock* const clock_ = time_.guard.get();
  std::unique_ptr<KeyEvents> key_events_;
  std::unique_ptr<hsm::KeyStore> keys_;
  std::unique_ptr<RevocationLists> revocations_;  // null where none are configured
  CallerDirectory callers_;
  GroupCommit journal_;
  SubKeys sub_keys_;
  Tenants tenants_;
  RootAdministration roots_;
  KeyAdministration key_administration_;
  Entropy* const entropy_;
  const EventLog* const log_;
  IssuanceCounters counters_;
  IssuanceCounters failed_calls_;
  IssuanceLoad load_;
  std::optional<CertificateEnds> ends_;
  std::unique_ptr<Metrics> metrics_;
  std::optional<KeyWarmUp> warm_up_;
  std::optional<JournalRetention> retention_;
  std::optional<ComplianceEngine> engine_;
  std::optional<ComplianceClient> compliance_;
  std::optional<Pipeline> pipeline_;
  std::optional<Lanes> lanes_;
  CallPool pool_;
  OpenCalls open_calls_;
  CallRunner calls_;
  std::optional<IssuerService> issuer_service_;
  std::optional<ComplianceService> compliance_service_;
  TenantService tenant_service_;
  RootService root_service_;
  KeyService key_service_;
  JournalService journal_service_;
  DeviceService device_service_;
  ClockService clock_service_;
  Edge edge_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  std::optional<MemoryGuard> memory_guard_;
};

SqliteStoreOptions StoreOptions(const EventLog& log) {
  SqliteStoreOptions options;
  options.upkeep_observer = [log](const absl::Status& status) {
    if (status.ok()) {
      log.Info("journal_upkeep_recovered", {});
    } else {
      log.Failure("journal_upkeep_failed", {{"message", status.message()}});
    }
  };
  options.set_aside_observer = [log](const std::string& path) {
    log.Warning("journal_segment_set_aside", {{"file", path}});
  };
  return options;
}

// A tenant without upn_domains may speak for the users of any other.
absl::Status TellOpenTenants(const Config& config, Store& store, const EventLog& log) {
  ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, store.ListTenants());
  std::set<std::string> ids;
  for (const TenantRecord& tenant : tenants) ids.insert(tenant.tenant_id);
  const std::vector<std::string> open = TenantsOfAnyDomain(config, ids);
  if (open.empty()) return absl::OkStatus();
  log.Warning("upn_domains_missing",
              {{"tenants", TenantsInWords(open)}, {"count", std::to_string(open.size())}});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Config& config, const Clock* clock,
                                                      const KernelTime* kernel, Entropy* entropy,
                                                      const EventLog* log) {
  ASSIGN_OR_RETURN(TlsMaterial tls, ReadTls(config.tls, "tls"));
  std::unique_ptr<RevocationLists> revocations;
  if (!config.revocation_lists.empty()) {
    ASSIGN_OR_RETURN(revocations,
                     RevocationLists::Read(config.revocation_lists, tls.trusted_roots));
  }
  ASSIGN_OR_RETURN(CallerDirectory callers,
                   CallerDirectory::Create(config.callers, clock, revocations.get()));
  for (const Caller& caller : config.callers) {
    const std::string warning = WarningAbout(caller);
    if (!warning.empty()) {
      log->Warning("caller_not_separated", {{"caller", caller.name}, {"message", warning}});
    }
  }
  auto key_events = std::make_unique<KeyEvents>(log);
  hsm::KeyStoreOptions key_options = config.keys;
  key_options.observer = key_events.get();
  ASSIGN_OR_RETURN(std::unique_ptr<hsm::KeyStore> keys, hsm::KeyStore::Create(key_options));
  const std::string store_path = SqliteStorePath(config.data_directory);
  ASSIGN_OR_RETURN(std::unique_ptr<Store> store, OpenSqliteStore(store_path, StoreOptions(*log)));
  RETURN_IF_ERROR(TellOpenTenants(config, *store, *log));
  ASSIGN_OR_RETURN(Timekeeping time, KeepTime(store_path, clock, kernel, *log));
  auto server = std::make_unique<RunningServer>(
      std::move(store), std::move(key_events), std::move(keys), std::move(revocations),
      std::move(callers), config, std::move(time), entropy, log);
  RETURN_IF_ERROR(server->ConnectCompliance(config.compliance));
  server->OpenLanes(config.limits);
  RETURN_IF_ERROR(server->WatchEnds(config));
  RETURN_IF_ERROR(server->ServeMetrics(config.metrics_listen));
  RETURN_IF_ERROR(server->WarmUp());
  server->KeepJournalFor(config.journal.retention);
  RETURN_IF_ERROR(server->Listen(config, std::move(tls)));
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace hourglass::issuance
