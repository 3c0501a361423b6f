#include "tests/chaos/scenario.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hourglass/v1/devices.grpc.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/base/clock.h"
#include "issuance/timekeeping/kernel_time.h"
#include "tests/chaos/administrator.h"
#include "tests/chaos/broker.h"
#include "tests/chaos/cell.h"
#include "tests/chaos/dump.h"
#include "tests/chaos/faults.h"
#include "tests/chaos/stream_broker.h"
#include "tests/history/checker.h"
#include "tests/history/history_folder.h"
#include "tests/history/recorder.h"

namespace hourglass::chaos {
namespace {

using std::chrono::microseconds;

constexpr int kBrokersOfATenant = 2;
constexpr char kDevice[] = "laptop-1";
// Each has choices of its own: the brokers' and administrators' come before these.
constexpr std::uint64_t kLanesFrom = 1000;

class Scenario {
 public:
  explicit Scenario(const ScenarioOptions& options)
      : options_(options), faults_(options.folder + "/faults.log") {}

  absl::StatusOr<ScenarioResult> Run() {
    const std::string logs = absl::StrCat(options_.folder, "/logs");
    std::filesystem::create_directory(logs);
    std::filesystem::create_directory(absl::StrCat(options_.folder, "/", history::kClientsFolder));
    ASSIGN_OR_RETURN(cell_, Cell::Start(options_.seed, options_.fault, logs));
    RETURN_IF_ERROR(Prepare());
    Live();
    LookAtReplicas();
    for (const auto& recorder : recorders_) RETURN_IF_ERROR(recorder->Close());
    RETURN_IF_ERROR(Judge());
    result_.faults = faults_.counts();
    for (std::string& failure : faults_.failures()) result_.failures.push_back(std::move(failure));
    std::sort(result_.times.begin(), result_.times.end());
    return std::move(result_);
  }

 private:
  absl::StatusOr<history::Recorder*> Record(const std::string& client) {
    ASSIGN_OR_RETURN(
        std::unique_ptr<history::Recorder> recorder,
        history::Recorder::Open(absl::StrCat(options_.folder, "/", history::kClientsFolder, "/",
                                             client, history::kLogSuffix),
                                client, &machine_, &clock_));
    recorders_.push_back(std::move(recorder));
    return recorders_.back().get();
  }

  // A seed for each client.
  std::uint64_t NextSeed() { return Chance(options_.seed, seeds_++).random()(); }

  absl::Status Prepare() {
    for (const char* tenant : {kTenant, kSubKeyTenant, kQuietTenant}) {
      Administrator::Options options{tenant, tenant == kSubKeyTenant, cell_.get()};
      ASSIGN_OR_RETURN(options.recorder, Record(absl::StrCat("administrator-", tenant)));
      options.seed = NextSeed();
      administrators_.push_back(std::make_unique<Administrator>(std::move(options)));
      RETURN_IF_ERROR(administrators_.back()->Prepare());
      if (tenant == kQuietTenant) continue;
      RETURN_IF_ERROR(ReportDevice(tenant));
      RETURN_IF_ERROR(AddBrokers(tenant));
    }
    return absl::OkStatus();
  }

  absl::Status AddBrokers(const std::string& tenant) {
    for (int i = 1; i <= kBrokersOfATenant; ++i) {
      ASSIGN_OR_RETURN(Broker::Options one, BrokerOf(tenant, absl::StrCat(i)));
      brokers_.push_back(std::make_unique<Broker>(std::move(one)));
    }
    ASSIGN_OR_RETURN(Broker::Options by_streams, BrokerOf(tenant, "streams"));
    stream_brokers_.push_back(std::make_unique<StreamBroker>(std::move(by_streams)));
    return absl::OkStatus();
  }

  absl::StatusOr<Broker::Options> BrokerOf(const std::string& tenant, const std::string& which) {
    Broker::Options options;
    options.name = absl::StrCat("broker-", tenant, "-", which);
    options.tenant_id = tenant;
    options.cell = cell_.get();
    ASSIGN_OR_RETURN(options.recorder, Record(options.name));
    options.request = cell_->MakeRequest();
    options.seed = NextSeed();
    options.patience = options_.patience;
    return options;
  }

  absl::Status ReportDevice(const std::string& tenant) {
    v1::ReportDeviceRequest request;
    request.set_tenant_id(tenant);
    request.set_device_id(kDevice);
    request.mutable_state()->mutable_disk_encryption()->set_enabled(true);
    v1::Device device;
    grpc::ClientContext context;
    Connections connections(cell_.get(), kWideReporter);
    const grpc::Status reported = v1::DeviceService::NewStub(connections.To(kReplicas - 1))
                                      ->ReportDevice(&context, request, &device);
    if (reported.ok()) return absl::OkStatus();
    return Error(ErrorReason::kInternalError, "", reported.error_message());
  }

  int Done(history::AdministrativeMethod method) const {
    int done = 0;
    for (const auto& administrator : administrators_) done += administrator->done(method);
    return done;
  }

  bool HasEnough() const {
    using history::AdministrativeMethod;
    const int promotions =
        Done(AdministrativeMethod::kPromoteRoot) + Done(AdministrativeMethod::kRollBackRoot);
    if (promotions < options_.promotions) return false;
    // Of a service that is broken no more is needed.
    if (options_.fault != SeededFault::kNone) return true;
    const std::map<std::string, int> faults = faults_.counts();
    for (const std::string& kind : AllFaultKinds()) {
      if (faults.count(kind) == 0) return false;
    }
    for (const AdministrativeMethod method :
         {AdministrativeMethod::kCreateRoot, AdministrativeMethod::kRetireRoot,
          AdministrativeMethod::kDiscardRoot, AdministrativeMethod::kPromoteRoot,
          AdministrativeMethod::kRollBackRoot}) {
      if (Done(method) == 0) return false;
    }
    return true;
  }

  // The length of the run: `never` does not end it.
  void AwaitEnough(Ending& never) const {
    never.Await(options_.duration);
    const auto longest =
        std::chrono::steady_clock::now() + (ScenarioOptions::kLongest - 1) * options_.duration;
    while (!HasEnough() && std::chrono::steady_clock::now() < longest) {
      never.Await(std::chrono::milliseconds(200));
    }
  }

  // First the faults end, then the changes, then the load: so the last requests meet a service
  // that has nothing but to recover.
  void Live() {
    Ending faults_end, changes_end, load_ends;
    std::vector<std::thread> lanes, administrators, brokers;
    for (const auto& one : administrators_) {
      administrators.emplace_back([&] { one->Run(changes_end); });
    }
    for (const auto& one : brokers_) brokers.emplace_back([&] { one->Run(load_ends); });
    for (const auto& one : stream_brokers_) brokers.emplace_back([&] { one->Run(load_ends); });
    std::uint64_t part = kLanesFrom;
    for (FaultLane& lane : FaultLanesOfReplicas(*cell_)) {
      lanes.emplace_back([&, lane = std::move(lane), chance = Chance(options_.seed, part++)] {
        RunLane(lane, chance, faults_end, faults_);
      });
    }
    lanes.emplace_back([&] {
      AwaitEnough(faults_end);
      faults_end.Begin();
    });
    // In this thread, since the database's server ends with the one that ran it.
    RunLane(FaultLaneOfDatabase(*cell_), Chance(options_.seed, part), faults_end, faults_);
    for (std::thread& lane : lanes) lane.join();
    changes_end.Begin();
    for (std::thread& administrator : administrators) administrator.join();
    load_ends.Begin();
    for (std::thread& broker : brokers) broker.join();
  }

  void LookAtReplicas() {
    for (int i = 0; i < kReplicas; ++i) {
      Replica& replica = cell_->replica(i);
      if (replica.HasEndedByItself()) {
        result_.failures.push_back(
            absl::StrCat(replica.name(), " ended by itself:\n", replica.EndOfLog()));
        continue;
      }
      // The first and the last broker are of different tenants.
      for (Broker* broker : {brokers_.front().get(), brokers_.back().get()}) {
        if (broker->IsServedBy(i)) continue;
        result_.failures.push_back(
            absl::StrCat(replica.name(), " does not issue again:\n", replica.EndOfLog()));
      }
    }
    for (const auto& broker : brokers_) LookAt(*broker);
    for (const auto& broker : stream_brokers_) {
      LookAt(*broker);
      result_.streams += broker->streams();
      result_.broken_streams += broker->broken_streams();
      result_.received_by_streams += static_cast<int>(broker->times().size());
    }
  }

  template <typename AnyBroker>
  void LookAt(const AnyBroker& broker) {
    result_.times.insert(result_.times.end(), broker.times().begin(), broker.times().end());
    if (broker.lost() == 0) return;
    result_.failures.push_back(
        absl::StrCat(broker.lost(), " requests were lost, the last one ", broker.last_failure()));
  }

  absl::Status Judge() {
    // One that noticed the fault refuses everything, until it is started again.
    const bool is_seeded = options_.fault != SeededFault::kNone;
    if (is_seeded) {
      cell_->replica(0).Kill();
      RETURN_IF_ERROR(cell_->replica(0).StartAnew());
    }
    std::vector<history::TenantHistory> tenants;
    for (const char* tenant : {kTenant, kSubKeyTenant, kQuietTenant}) {
      ASSIGN_OR_RETURN(history::TenantHistory first,
                       ReadTenant(*cell_, cell_->database(), 0, tenant));
      for (int i = 1; i < kReplicas && !is_seeded; ++i) {
        ASSIGN_OR_RETURN(const history::TenantHistory other,
                         ReadTenant(*cell_, cell_->database(), i, tenant));
        if (other == first) continue;
        result_.failures.push_back(absl::StrCat(cell_->replica(i).name(),
                                                " tells another history of ", tenant, " than ",
                                                cell_->replica(0).name()));
      }
      tenants.push_back(std::move(first));
    }
    RETURN_IF_ERROR(history::WriteJournal(options_.folder, tenants));
    ASSIGN_OR_RETURN(const history::History history, history::ReadHistory(options_.folder));
    result_.violations = history::Check(history);
    result_.summary = history::Summarize(history, result_.violations);
    return absl::OkStatus();
  }

  const ScenarioOptions& options_;
  const issuance::LinuxKernelTime machine_;
  const issuance::SystemClock clock_;
  FaultLog faults_;
  std::unique_ptr<Cell> cell_;
  std::uint64_t seeds_ = 0;
  std::vector<std::unique_ptr<history::Recorder>> recorders_;
  std::vector<std::unique_ptr<Administrator>> administrators_;
  std::vector<std::unique_ptr<Broker>> brokers_;
  std::vector<std::unique_ptr<StreamBroker>> stream_brokers_;
  ScenarioResult result_;
};

// Below which `share` of them lie, in milliseconds.
double Quantile(const std::vector<microseconds>& times, double share) {
  if (times.empty()) return 0;
  const auto index = static_cast<std::size_t>(static_cast<double>(times.size() - 1) * share);
  return static_cast<double>(times[index].count()) / 1000;
}

}  // namespace

absl::StatusOr<ScenarioResult> RunScenario(const ScenarioOptions& options) {
  return Scenario(options).Run();
}

std::string InWords(const ScenarioResult& result) {
  std::string words;
  for (const history::Violation& violation : result.violations) {
    absl::StrAppend(&words, history::InWords(violation));
  }
  for (const std::string& failure : result.failures) absl::StrAppend(&words, failure, "\n");
  absl::StrAppend(&words, "faults\n");
  for (const auto& [kind, count] : result.faults) {
    absl::StrAppendFormat(&words, "  %-28s %d\n", kind, count);
  }
  absl::StrAppendFormat(&words,
                        "requests, to their certificate: %d, p50 %.1f ms, p99 %.1f ms, "
                        "longest %.1f ms\n",
                        result.times.size(), Quantile(result.times, 0.5),
                        Quantile(result.times, 0.99), Quantile(result.times, 1));
  absl::StrAppendFormat(&words,
                        "streams: %d, of which %d ended before their requests were answered; "
                        "%d of the certificates\n",
                        result.streams, result.broken_streams, result.received_by_streams);
  absl::StrAppend(&words, history::InWords(result.summary));
  return words;
}

}  // namespace hourglass::chaos
