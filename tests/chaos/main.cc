// chaos: breaks a cell of its own at random for a while, and judges what its clients experienced.
// Ends with 1 where a promise is broken, a request is lost, or a part does not come back; 2 where
// there is nothing to judge.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>

#include "absl/status/statusor.h"
#include "tests/chaos/scenario.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::chaos {
namespace {

constexpr int kKept = 0;
constexpr int kBroken = 1;
constexpr int kNothingToJudge = 2;

int Run(const ScenarioOptions& options) {
  std::printf("seed %llu, history in %s\n", static_cast<unsigned long long>(options.seed),
              options.folder.c_str());
  const absl::StatusOr<ScenarioResult> result = RunScenario(options);
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", std::string(result.status().message()).c_str());
    return kNothingToJudge;
  }
  std::fputs(InWords(*result).c_str(), stdout);
  if (!result->violations.empty() || !result->failures.empty()) return kBroken;
  return result->summary.received > 0 && result->summary.promotions > 0 ? kKept : kNothingToJudge;
}

}  // namespace
}  // namespace hourglass::chaos

int main(int argc, char** argv) {
  using hourglass::chaos::SeededFault;
  CLI::App app("Breaks replicas, their connections and their database at random", "chaos");
  hourglass::chaos::ScenarioOptions options;
  int minutes = 2;
  options.seed = std::random_device()();
  std::string fault = "none", folder;
  app.add_option("--minutes", minutes, "How long (default: 2)")->check(CLI::Range(1, 24 * 60));
  app.add_option("--seed", options.seed, "Of every choice (default: another each time)");
  app.add_option("--fault", fault, "Without what the service must fail (default: none)")
      ->check(CLI::IsMember({"none", "no-fence", "no-lock", "no-idempotency"}));
  app.add_option("--folder", folder, "Takes the history; must be empty (default: a temporary one)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Of CLI11's exit codes only that of --help is 0.
    return app.exit(error) == 0 ? hourglass::chaos::kKept : hourglass::chaos::kNothingToJudge;
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);
  options.duration = std::chrono::minutes(minutes);
  options.fault = hourglass::chaos::SeededFaultOfName(fault).value_or(SeededFault::kNone);
  const hourglass::TemporaryDirectory temporary;
  options.folder = folder.empty() ? temporary.path() : folder;
  return hourglass::chaos::Run(options);
}
