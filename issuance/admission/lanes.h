// The threads that issue certificates, and the queue before them.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_LANES_H_
#define HOURGLASS_ISSUANCE_ADMISSION_LANES_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include "hsm/base/mutex.h"
#include "issuance/admission/admission_queue.h"
#include "issuance/admission/lane_gate.h"
#include "issuance/admission/overload_gauge.h"
#include "issuance/base/clock.h"
#include "issuance/log/event_log.h"
#include "issuance/pipeline/issuance_load.h"
#include "issuance/pipeline/issue_task.h"
#include "issuance/pipeline/pipeline.h"

namespace hourglass::issuance {

struct LaneOptions {
  // Threads for tasks that wait for nobody but the journal: one more than cores, so that these are
  // busy while one waits for the disk. None where every task may wait, for a compliance service
  // that is elsewhere.
  int swift_lanes = 0;
  // Threads for all others. At least 1.
  int patient_lanes = 32;
  // That may wait, beside those that are served. At least 1.
  std::size_t queue_length = 1024;
  // Tasks of a batch at most. At least 1.
  std::size_t batch_size = 64;
};

// Each lane takes what waits, a batch at a time, as soon as it is free, and carries it through the
// pipeline. Swift lanes leave a little to those that are busy (LaneGate), unless none of these
// comes back for it within some hundredths of a second. A swift lane's batch is of several tenants.
// Beside them an express lane serves lone tenants (AdmissionQueue::TakeLone), before the batches of
// a crowd. A patient lane's batch is of one tenant, and no more than half of the patient lanes
// serve one tenant, so that one whose key or verdicts do not come holds up nobody else.
//
// How to use, for one call or for each message of a stream: derive from IssueTask, keep caller,
// request and response alive in the derived object, and Submit it. Once it is admitted, Finished()
// is called exactly once, on a lane: there the answer is sent, or written to the stream's own
// queue.
//
// Safe to call from several threads.
class Lanes {
 public:
  // All must outlive this object. `clock` is the pipeline's, which deadlines are by. `log` learns
  // how many were refused, once a second at most; `load`, which may be null, how many wait.
  Lanes(Pipeline* pipeline, const LaneOptions& options, const Clock* clock, const EventLog* log,
        IssuanceLoad* load = nullptr);
  // Finishes what waits, then joins; nobody may submit any more.
  ~Lanes();
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Nothing where the task is admitted. Else it is refused, Finished() is not called, and this is
  // when to come back. Waits for nobody. The task's caller must be authorized for the tenant that
  // the request names: it is that tenant's turn that it takes.
  std::optional<std::chrono::milliseconds> Submit(IssueTask* task);

 private:
  void RunSwift();
  void RunExpress();
  void RunPatient();
  // Finishes those that nobody waits for any more, or will when it is their turn to be answered.
  void DropLate(std::vector<IssueTask*>& batch, std::chrono::microseconds service_time);
  void Finish(const std::vector<IssueTask*>& batch);
  // Returns how many were carried through; the others were too late.
  std::size_t ServeSwift(std::vector<IssueTask*>& batch,
                         std::chrono::steady_clock::duration& service_time);
  // For a lane that is idle.
  bool MayTakeSwift() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReportRefusals(OverloadGauge::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Pipeline* const pipeline_;
  const LaneOptions options_;
  const Clock* const clock_;
  const EventLog* const log_;
  IssuanceLoad* const load_;
  Mutex mutex_;
  AdmissionQueue queue_ ABSL_GUARDED_BY(mutex_);
  OverloadGauge gauge_ ABSL_GUARDED_BY(mutex_);
  LaneGate gate_ ABSL_GUARDED_BY(mutex_);
  int idle_swift_lanes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool express_is_idle_ ABSL_GUARDED_BY(mutex_) = false;
  bool express_sleeps_ ABSL_GUARDED_BY(mutex_) = false;
  std::uint64_t swift_batches_ ABSL_GUARDED_BY(mutex_) = 0;  // so many were taken
  bool swift_is_overdue_ ABSL_GUARDED_BY(mutex_) = false;    // what waits, whatever the gate says
  int idle_patient_lanes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool swift_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool patient_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  ConditionVariable swift_comes_;
  ConditionVariable lone_comes_;
  ConditionVariable patient_comes_;
  std::vector<std::thread> swift_lanes_;
  std::vector<std::thread> patient_lanes_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_LANES_H_
