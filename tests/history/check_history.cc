// check_history: whether a history, client logs and what the database says afterwards, could have
// come from a certificate authority that kept its promises. Exit code: 0 if so, 1 where a rule is
// broken, 2 where there is nothing to judge: wrong usage, files that cannot be read, or less in
// them than was asked for.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/history/checker.h"
#include "tests/history/history_folder.h"
#include "tests/history/summary.h"

namespace hourglass::history {
namespace {

constexpr int kKept = 0;
constexpr int kBroken = 1;
constexpr int kNothingToJudge = 2;

struct Wishes {
  std::string folder;
  std::int64_t certificates = 1;
  std::int64_t promotions = 0;
  int shown = 20;
};

void Print(const std::vector<Violation>& violations, int shown) {
  std::map<Rule, int> printed;
  for (const Violation& violation : violations) {
    if (printed[violation.rule]++ < shown) std::fputs(InWords(violation).c_str(), stdout);
  }
}

int Run(const Wishes& wishes) {
  const absl::StatusOr<History> history = ReadHistory(wishes.folder);
  if (!history.ok()) {
    std::fprintf(stderr, "%s\n", std::string(history.status().message()).c_str());
    return kNothingToJudge;
  }
  CheckOptions options;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const std::vector<Violation> violations = Check(*history, options);
  Print(violations, wishes.shown);
  const Summary summary = Summarize(*history, violations);
  std::fputs(InWords(summary).c_str(), stdout);
  if (!violations.empty()) return kBroken;
  if (summary.received >= wishes.certificates && summary.promotions >= wishes.promotions) {
    return kKept;
  }
  std::fputs("the history is too short to show anything\n", stderr);
  return kNothingToJudge;
}

}  // namespace
}  // namespace hourglass::history

int main(int argc, char** argv) {
  CLI::App app("Judges a history", "check_history");
  hourglass::history::Wishes wishes;
  app.add_option("folder", wishes.folder, "With clients/*.jsonl and journal.jsonl")->required();
  app.add_option("--certificates", wishes.certificates,
                 "How many must have been received (default: 1)");
  app.add_option(
      "--promotions", wishes.promotions,
      "How many must have been recorded, the first ones of tenants included (default: 0)");
  app.add_option("--shown", wishes.shown, "At most so many violations of a rule (default: 20)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Of CLI11's exit codes only that of --help is 0.
    return app.exit(error) == 0 ? hourglass::history::kKept : hourglass::history::kNothingToJudge;
  }
  return hourglass::history::Run(wishes);
}
