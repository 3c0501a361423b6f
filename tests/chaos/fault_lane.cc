#include "tests/chaos/fault_lane.h"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace hourglass::chaos {

FaultLog::FaultLog(std::string path)
    : path_(std::move(path)), began_(std::chrono::steady_clock::now()) {}

void FaultLog::WriteLine(absl::string_view kind, absl::string_view words) {
  const std::chrono::duration<double> after = std::chrono::steady_clock::now() - began_;
  std::ofstream(path_, std::ios::app) << absl::StrFormat("%9.3f  %s", after.count(), kind)
                                      << (words.empty() ? "" : ": ") << words << "\n";
}

void FaultLog::Note(const std::string& kind, absl::string_view words) {
  MutexLock lock(mutex_);
  ++counts_[kind];
  WriteLine(kind, words);
}

void FaultLog::Fail(absl::string_view words) {
  MutexLock lock(mutex_);
  failures_.emplace_back(words);
  WriteLine("FAILED", words);
}

std::map<std::string, int> FaultLog::counts() const {
  MutexLock lock(mutex_);
  return counts_;
}

std::vector<std::string> FaultLog::failures() const {
  MutexLock lock(mutex_);
  return failures_;
}

void RunLane(const FaultLane& lane, Chance chance, Ending& ending, FaultLog& log) {
  std::vector<std::size_t> order(lane.faults.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (;;) {
    std::shuffle(order.begin(), order.end(), chance.random());
    for (const std::size_t one : order) {
      ending.Await(chance.Between(lane.shortest_pause, lane.longest_pause));
      if (ending.HasBegun()) return;
      const Fault& fault = lane.faults[one];
      const absl::Status healed =
          fault.act(chance, ending, [&](absl::string_view words) { log.Note(fault.kind, words); });
      if (!healed.ok()) log.Fail(absl::StrCat(fault.kind, ": ", healed.message()));
    }
  }
}

}  // namespace hourglass::chaos
