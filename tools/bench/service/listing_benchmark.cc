#include "tools/bench/service/listing_benchmark.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "tests/support/listing_flood.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/bench/service/saturation.h"
#include "tools/bench/service/scratch.h"

namespace hourglass::bench {
namespace {

constexpr double kPerSecond = 100;
constexpr int kTurns = 3;
constexpr char kSection[] = "listings";
constexpr char kAuditorCommand[] = "list-without-end";
constexpr char kBegun[] = "begun";
// What the auditor says at its end, after that.
constexpr char kSummary[] = "begun\nanswered %d refused %d";
// What the auditor reads: a page of the journal has up to a thousand.
constexpr int kRecords = 2000;

// An auditor that lists without end, in a process of the lowest priority: what it does with the
// answers takes no time of the generator's, which reads its own on the same processors.
class Auditor {
 public:
  explicit Auditor(ServiceProcess& service)
      : process_(
            {std::filesystem::read_symlink("/proc/self/exe"), kAuditorCommand, service.address(),
             service.tls().trusted_roots_file(), service.CredentialOf(kAuditor).certificate_file,
             service.CredentialOf(kAuditor).private_key_file, "t1"},
            directory_.File("log")) {}

  bool HasBegun() { return process_.WaitForLog(kBegun); }

  // Ends it; false where it did not end well.
  bool End(int* answered, int* refused) {
    if (process_.Stop(SIGTERM) != 0) return false;
    return std::sscanf(process_.Log().c_str(), kSummary, answered, refused) == 2;
  }

 private:
  TemporaryDirectory directory_;
  BackgroundProcess process_;
};

// Records of t1, for the auditor to list.
absl::Status FillJournal(LoadedService& service) {
  ASSIGN_OR_RETURN(const PreparedRequests pool,
                   PreparedRequests::Make({.tenant_ids = {"t1"}, .requests = 100}));
  ASSIGN_OR_RETURN(const auto load, StartLoad(service.process->Target(), pool,
                                              {.arrivals = ClosedLoop{.outstanding = 16}}));
  load->Begin();
  while (load->Certificates() < kRecords) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return CheckLoad({nullptr, pool, service.roots}, load->End());
}

// Moves t1 from one root to the other, over and over. Both were primary before: going back costs
// the same as a promotion, which a root has once.
class Promotions {
 public:
  // `primary` is the root that is it, and is kept up.
  Promotions(ServiceProcess& process, std::string* primary)
      : stub_(process.As<v1::RootService>(kAdministrator)),
        primary_(*primary),
        thread_([this] { Run(); }) {}
  ~Promotions() {
    stopping_ = true;
    thread_.join();
  }

  int made() const { return made_; }
  int failed() const { return failed_; }

 private:
  void Run() {
    while (!stopping_) {
      const std::string other = primary_ == "r1" ? "r2" : "r1";
      if (Switch(other).ok()) {
        primary_ = other;
        ++made_;
      } else {
        ++failed_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
    }
  }

  grpc::Status Switch(const std::string& root_id) {
    v1::Root root;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
    v1::RollBackRootRequest request;
    request.set_tenant_id("t1");
    request.set_root_id(root_id);
    return stub_->RollBackRoot(&context, request, &root);
  }

  std::unique_ptr<v1::RootService::Stub> stub_;
  std::string& primary_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> made_ = 0;
  std::atomic<int> failed_ = 0;
  std::thread thread_;
};

struct Measured {
  LatencyHistogram without, with;
  int promotions = 0;
  int failed_promotions = 0;
  int listings = 0;
  int refused_listings = 0;
};

absl::StatusOr<Measured> MeasureInTurns(LoadedService& service, const LoadWindow& window,
                                        int turns) {
  ASSIGN_OR_RETURN(const PreparedRequests pool,
                   PreparedRequests::Make({.tenant_ids = {"t0"}, .requests = 500}));
  ASSIGN_OR_RETURN(const auto issuing,
                   StartLoad(service.process->Target(), pool,
                             {.arrivals = OpenLoop{.per_second = kPerSecond}, .connections = 4}));
  Measured measured;
  std::string primary = "r2";
  // In turns, so that both meet the same noise.
  for (int turn = 0; turn < turns; ++turn) {
    for (LatencyHistogram* latencies : {&measured.without, &measured.with}) {
      std::unique_ptr<Auditor> auditor;
      std::unique_ptr<Promotions> promotions;
      if (latencies == &measured.with) {
        auditor = std::make_unique<Auditor>(*service.process);
        if (!auditor->HasBegun()) return absl::InternalError("the auditor did not begin");
        promotions = std::make_unique<Promotions>(*service.process, &primary);
      }
      std::this_thread::sleep_for(window.warm_up);
      const LoadResult result = issuing->Measure(window.duration);
      RETURN_IF_ERROR(CheckLoad({nullptr, pool, service.roots}, result));
      latencies->Add(result.latencies);
      if (auditor == nullptr) continue;
      measured.promotions += promotions->made();
      measured.failed_promotions += promotions->failed();
      int answered = 0;
      int refused = 0;
      if (!auditor->End(&answered, &refused)) {
        return absl::InternalError("the auditor did not end well");
      }
      measured.listings += answered;
      measured.refused_listings += refused;
    }
  }
  return measured;
}

void AddFigures(const Measured& measured, Report& report) {
  const auto add = [&report](const std::string& name, double value, const std::string& unit) {
    report.Add({.section = kSection, .name = name, .value = value, .unit = unit});
  };
  add("listings answered meanwhile", measured.listings, "listings");
  add("listings refused meanwhile", measured.refused_listings, "listings");
  add("promotions made meanwhile", measured.promotions, "promotions");
  report.Add({.section = kSection,
              .name = "promotions that failed",
              .value = static_cast<double>(measured.failed_promotions),
              .unit = "promotions",
              .target = TargetId::kErrors});
  report.Add({.section = kSection,
              .name = "another tenant's median",
              .value = measured.with.QuantileMicroseconds(0.5),
              .unit = "us",
              .floor = measured.without.QuantileMicroseconds(0.5),
              .floor_is = "median without the auditor",
              .target = TargetId::kListings});
  report.Add({.section = kSection,
              .name = "another tenant's p99",
              .value = measured.with.QuantileMicroseconds(0.99),
              .unit = "us",
              .floor = measured.without.QuantileMicroseconds(0.99),
              .floor_is = "p99 without the auditor"});
}

}  // namespace

void ServeAsAuditor(int argc, char** argv) {
  if (argc != 7 || std::strcmp(argv[1], kAuditorCommand) != 0) return;
  constexpr int kLowestPriority = 19;
  setpriority(PRIO_PROCESS, 0, kLowestPriority);
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  // Before there are threads, which inherit it.
  pthread_sigmask(SIG_BLOCK, &end, nullptr);
  ListingFlood flood({.address = argv[2],
                      .trusted_roots = ReadFileOrDie(argv[3]),
                      .certificate_chain = ReadFileOrDie(argv[4]),
                      .private_key = ReadFileOrDie(argv[5]),
                      .tenant_id = argv[6]});
  std::printf("%s\n", kBegun);
  std::fflush(stdout);
  int received = 0;
  sigwait(&end, &received);
  std::printf("answered %d refused %d\n", flood.answered(), flood.refused());
  std::fflush(stdout);
  std::_Exit(0);
}

absl::Status MeasureListings(const Options& options, Report& report) {
  const TemporaryDirectoriesIn scratch(options.scratch_directory);
  const std::vector<int> all = UsableProcessors();
  const auto half = static_cast<std::ptrdiff_t>(all.size() / 2);
  const std::vector<int> ours(all.begin(), all.begin() + half);
  const std::vector<int> theirs(all.begin() + half, all.end());
  ASSIGN_OR_RETURN(
      LoadedService service,
      StartService({.program = options.hourglassd, .processors = theirs}, v1::EC_P256, 2));
  ConfineThisProcess(ours);
  const absl::Cleanup release = [&all] { ConfineThisProcess(all); };
  RETURN_IF_ERROR(FillJournal(service));
  service.process->CreateRoot("t1");
  ASSIGN_OR_RETURN(const Measured measured, MeasureInTurns(service, EffortOf(options.quick).window,
                                                           options.quick ? 1 : kTurns));
  AddFigures(measured, report);
  return service.process->Stop();
}

}  // namespace hourglass::bench
