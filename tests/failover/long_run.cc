// long_run: minutes of fail-overs of every kind under load, and what came of them. Exit code: 0
// where nothing is forgotten and every rule of the history checker is kept, 1 where one is broken,
// 2 where the run itself failed. To be run in its folder of runfiles.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tests/failover/brokers.h"
#include "tests/failover/fail_overs.h"
#include "tests/failover/judgement.h"
#include "tests/failover/patroni_cluster.h"
#include "tests/failover/replicas.h"
#include "tests/history/summary.h"
#include "tests/history/violation.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::failover {
namespace {

using std::chrono::steady_clock;

constexpr int kKept = 0;
constexpr int kBroken = 1;
constexpr int kFailed = 2;
constexpr int kMostShown = 20;

struct Wishes {
  double minutes = 10;
  std::string folder;
};

// Each kind in turn, at least once, while there is time.
absl::Status FailOver(PatroniCluster& cluster, Brokers& brokers, double minutes) {
  const auto began = steady_clock::now();
  const auto end = began + std::chrono::duration<double, std::ratio<60>>(minutes);
  for (int turn = 0;; ++turn) {
    for (const FailOverKind kind : AllFailOverKinds()) {
      if (turn > 0 && steady_clock::now() >= end) return absl::OkStatus();
      const auto at = steady_clock::now();
      std::printf("%4lld s: %s\n",
                  static_cast<long long>(
                      std::chrono::duration_cast<std::chrono::seconds>(at - began).count()),
                  FailOverName(kind).c_str());
      std::fflush(stdout);
      RETURN_IF_ERROR(DoFailOver(kind, cluster, brokers));
    }
    if (steady_clock::now() >= end) return absl::OkStatus();
  }
}

absl::StatusOr<Judgement> RunIn(const std::string& folder, double minutes) {
  ASSIGN_OR_RETURN(const std::unique_ptr<PatroniCluster> cluster,
                   PatroniCluster::Start(Replication::kSynchronous));
  Replicas replicas(*cluster, Standby::kRequired);
  if (!replicas.Start()) {
    return Error(ErrorReason::kInternalError, "",
                 absl::StrCat("a replica does not start: ", replicas.LogOf(0)));
  }
  replicas.client(0).MakeReady();
  ASSIGN_OR_RETURN(const std::unique_ptr<Brokers> brokers, Brokers::Start(replicas, folder));
  const absl::Status done = FailOver(*cluster, *brokers, minutes);
  if (!done.ok()) {
    std::fprintf(stderr, "%s\n%s\n%s\n", cluster->EndsOfLogs().c_str(), replicas.LogOf(0).c_str(),
                 replicas.LogOf(1).c_str());
    return done;
  }
  RETURN_IF_ERROR(brokers->Stop(Brokers::LastRequest::kIsFinished));
  if (!replicas.Stop()) {
    return Error(ErrorReason::kInternalError, "", "a replica ended badly");
  }
  return Judge(*cluster, Standby::kRequired, folder);
}

int Run(const Wishes& wishes) {
  const TemporaryDirectory own;
  const std::string folder = wishes.folder.empty() ? own.path() : wishes.folder;
  std::printf("history in %s\n", folder.c_str());
  const absl::StatusOr<Judgement> judgement = RunIn(folder, wishes.minutes);
  if (!judgement.ok()) {
    std::fprintf(stderr, "%s\n", std::string(judgement.status().message()).c_str());
    return kFailed;
  }
  int shown = 0;
  for (const history::Violation& violation : judgement->violations) {
    if (shown++ < kMostShown) std::fputs(history::InWords(violation).c_str(), stdout);
  }
  std::fputs(history::InWords(judgement->summary).c_str(), stdout);
  return judgement->violations.empty() ? kKept : kBroken;
}

}  // namespace
}  // namespace hourglass::failover

int main(int argc, char** argv) {
  CLI::App app("Fail-overs of every kind under load", "long_run");
  hourglass::failover::Wishes wishes;
  app.add_option("--minutes", wishes.minutes,
                 "No fail-over begins later; each kind happens at least once (default: 10)");
  app.add_option("--folder", wishes.folder,
                 "Where the history is written, for check_history; none is there yet");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Of CLI11's exit codes only that of --help is 0.
    return app.exit(error) == 0 ? hourglass::failover::kKept : hourglass::failover::kFailed;
  }
  return hourglass::failover::Run(wishes);
}
