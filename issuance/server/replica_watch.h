// Part of the running service: this replica among others on one database.
#ifndef HOURGLASS_ISSUANCE_SERVER_REPLICA_WATCH_H_
#define HOURGLASS_ISSUANCE_SERVER_REPLICA_WATCH_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/base/recurring.h"
#include "issuance/log/event_log.h"
#include "issuance/store/replica_directory.h"
#include "issuance/timekeeping/clock_comparison.h"
#include "issuance/timekeeping/compared_clock.h"
#include "issuance/timekeeping/kernel_time.h"

namespace hourglass::issuance {

// Tells the database every few seconds that this replica is there, and compares its clock with the
// database's and those of replicas that were seen within a minute. Safe to call from several
// threads.
class ReplicaWatch {
 public:
  static constexpr std::chrono::seconds kLookEvery{5};

  // All must outlive the watch.
  struct Subjects {
    ReplicaDirectory* directory;
    ComparedClock* clock;
    const Clock* wall;
    const KernelTime* kernel;
    const EventLog* log;
    // Waits so long while another run may still have the name.
    std::function<void(std::chrono::seconds)> wait;
  };

  // Takes the name of `own` and compares for the first time; does not go on by itself yet. Where
  // another run has the name, waits until that has not been seen for so long that it has ended.
  // Errors: CONFIGURATION_INVALID with field `store.postgresql.replica` where it still runs;
  // JOURNAL_UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<ReplicaWatch>> Start(ReplicaRecord own,
                                                             const Subjects& subjects);
  // Frees the name.
  ~ReplicaWatch();
  ReplicaWatch(const ReplicaWatch&) = delete;
  ReplicaWatch& operator=(const ReplicaWatch&) = delete;

  // Looks every kLookEvery from now on, by a thread of its own.
  void Watch();

  // Compares and announces once. Says what has changed as `replica_not_announced`,
  // `replica_name_taken` and `replica_announced`.
  void Look();

  // Whether the database was not reached by the last look.
  bool IsCutOff() const { return is_cut_off_.load(std::memory_order_relaxed); }

 private:
  ReplicaWatch(ReplicaRecord own, const Subjects& subjects);
  absl::Status TakeName();
  // Compares, then announces: what is there under the name.
  absl::StatusOr<ReplicaRecord> CompareAndAnnounce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<ComparedReplica> Measure() const;

  const Subjects subjects_;
  Mutex mutex_;  // held by a look
  ReplicaRecord own_ ABSL_GUARDED_BY(mutex_);
  bool has_name_ ABSL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> is_cut_off_ = false;
  std::optional<Recurring> thread_;  // the last: it uses what is above
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_REPLICA_WATCH_H_
