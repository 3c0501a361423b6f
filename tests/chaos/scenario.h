// A chaos run: replicas on one database under load, everything broken at random, and a judgement.
#ifndef HOURGLASS_TESTS_CHAOS_SCENARIO_H_
#define HOURGLASS_TESTS_CHAOS_SCENARIO_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/chaos/seeded_fault.h"
#include "tests/history/summary.h"
#include "tests/history/violation.h"

namespace hourglass::chaos {

struct ScenarioOptions {
  // Of the faults and the load; to begin and to end takes some time more. On a machine on which too
  // little happens meanwhile to show anything it goes on until enough has, up to kLongest times as
  // long.
  std::chrono::seconds duration{60};
  static constexpr int kLongest = 5;
  // So many changes of the primary are enough, after the first of each tenant; where nothing is
  // seeded beside a fault of each kind, and each change that an administrator can make.
  int promotions = 8;
  // Of every choice. What becomes of it depends on the machine, too.
  std::uint64_t seed = 1;
  SeededFault fault = SeededFault::kNone;
  // As Broker's.
  std::chrono::seconds patience = std::chrono::minutes(3);
  // An empty folder that takes the history (tests/history/history_folder.h), in `faults.log` what
  // was done when, and in `logs` what the replicas wrote.
  std::string folder;
};

struct ScenarioResult {
  history::Summary summary;
  std::vector<history::Violation> violations;
  std::map<std::string, int> faults;  // by kind
  // From the first asking of a request to its certificate, ascending.
  std::vector<std::chrono::microseconds> times;
  // Of IssueCertificates; and those of them that ended while requests had no answer.
  int streams = 0;
  int broken_streams = 0;
  int received_by_streams = 0;  // requests that have their certificate by one
  // Requests that have no certificate, parts that ended by themselves or did not come back,
  // replicas that tell of another history than the first: each is a fault of the service.
  std::vector<std::string> failures;
};

// The load of two brokers, and of one that asks by streams, on each of two tenants, an
// administrator for each and for a quiet one, and the faults of tests/chaos/faults.h; then
// everything is healed, each replica must issue again, and tell the same history. Errors:
// INTERNAL_ERROR where the cell cannot be started or read.
absl::StatusOr<ScenarioResult> RunScenario(const ScenarioOptions& options);

// For people.
std::string InWords(const ScenarioResult& result);

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_SCENARIO_H_
