// Faults that come one after the other, in an order that a seed chooses.
#ifndef HOURGLASS_TESTS_CHAOS_FAULT_LANE_H_
#define HOURGLASS_TESTS_CHAOS_FAULT_LANE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "tests/chaos/chance.h"

namespace hourglass::chaos {

// What was done, by whom, and when. Safe to call from several threads.
class FaultLog {
 public:
  // To a file with a line each.
  explicit FaultLog(std::string path);

  // One more of this kind begins.
  void Note(const std::string& kind, absl::string_view words) ABSL_LOCKS_EXCLUDED(mutex_);
  // What must not happen: a part does not come back, or ends by itself.
  void Fail(absl::string_view words) ABSL_LOCKS_EXCLUDED(mutex_);

  std::map<std::string, int> counts() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> failures() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void WriteLine(absl::string_view kind, absl::string_view words)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const std::chrono::steady_clock::time_point began_;
  mutable Mutex mutex_;
  std::map<std::string, int> counts_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> failures_ ABSL_GUARDED_BY(mutex_);
};

struct Fault {
  std::string kind;
  // Breaks, waits while it is broken, not beyond the end, and heals. What it says is logged when
  // it begins, so it calls `begin` first.
  std::function<absl::Status(Chance& chance, Ending& ending,
                             const std::function<void(absl::string_view words)>& begin)>
      act;
};

struct FaultLane {
  std::vector<Fault> faults;
  // From the end of one to the next.
  std::chrono::milliseconds shortest_pause{200};
  std::chrono::milliseconds longest_pause{1500};
};

// Each fault once in an order by chance, then each again, until the end has begun. Whatever was
// broken is healed when it returns.
void RunLane(const FaultLane& lane, Chance chance, Ending& ending, FaultLog& log);

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_FAULT_LANE_H_
