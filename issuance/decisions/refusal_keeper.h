// Has refusals kept without anybody waiting for it.
#ifndef HOURGLASS_ISSUANCE_DECISIONS_REFUSAL_KEEPER_H_
#define HOURGLASS_ISSUANCE_DECISIONS_REFUSAL_KEEPER_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/log/event_log.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/decision_store.h"
#include "issuance/store/journal_store.h"

namespace hourglass::issuance {

struct RefusalLimits {
  // Kept of one device, and of one tenant, in a minute.
  int most_of_device = 10;
  int most_of_tenant = 1000;
  // Not written yet.
  std::size_t most_waiting = 10'000;
  // In one transaction, and the pause before each.
  std::size_t most_at_once = 500;
  std::chrono::milliseconds pause = std::chrono::milliseconds(500);
};

// Writes what it is given behind the back of whoever gives it: by one thread, in batches. What is
// over a limit is not kept; what waits is lost when the process dies. A refusal of a user on a
// device with live certificates is also an event, unless it has been told (UntoldEvent). Safe to
// call from several threads.
class RefusalKeeper {
 public:
  // Starts. All must outlive this object. What fails is logged as `refusals_not_kept` once until it
  // succeeds, and tried again. `dropped` counts those that were over a limit.
  RefusalKeeper(DecisionStore* decisions, JournalStore* journal, const Clock* clock, EventLog log,
                std::atomic<std::uint64_t>* dropped, const RefusalLimits& limits = {});
  // Tries once to write what waits.
  ~RefusalKeeper();
  RefusalKeeper(const RefusalKeeper&) = delete;
  RefusalKeeper& operator=(const RefusalKeeper&) = delete;

  // Waits for nobody.
  void Note(RefusalRecord refusal);
  // Returns once what was noted before is written, or could not be: of at most `most_at_once`.
  void Flush();

 private:
  void Run();
  bool IsWithinLimits(const RefusalRecord& refusal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether nothing of them is to be tried again.
  bool Keep(const std::vector<RefusalRecord>& refusals);
  absl::StatusOr<std::vector<UntoldEvent>> EventsOf(const std::vector<RefusalRecord>& refusals);

  DecisionStore& decisions_;
  JournalStore& journal_;
  const Clock& clock_;
  const EventLog log_;
  std::atomic<std::uint64_t>& dropped_;
  const RefusalLimits limits_;

  Mutex mutex_;
  ConditionVariable changed_;
  std::deque<RefusalRecord> waiting_ ABSL_GUARDED_BY(mutex_);
  std::chrono::minutes minute_ ABSL_GUARDED_BY(mutex_){};
  // How many in that minute, by tenant, and by tenant and device.
  absl::flat_hash_map<std::string, int> counts_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  int flushing_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t rounds_ ABSL_GUARDED_BY(mutex_) = 0;  // that ended
  bool is_failing_ = false;                           // of the thread
  std::thread thread_;                                // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DECISIONS_REFUSAL_KEEPER_H_
