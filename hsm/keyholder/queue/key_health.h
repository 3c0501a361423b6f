// How one key fares: what workers said to it, and whether another worker is to be heard on it.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_KEY_HEALTH_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_KEY_HEALTH_H_

#include <optional>

#include "absl/status/status.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// What of a custodian bears on what an error means.
struct CustodianCondition {
  // A refused PIN stops every worker, as a token's login does; else only what it was refused for.
  bool pin_logs_in = true;
  // No worker will be started until the PIN has changed.
  bool none_can_start = false;
};

// Decides from what it is told. Every worker is named by the time at which it was started. Not for
// several threads; every `now` is now, and none goes back.
class KeyHealth {
 public:
  // Only a worker that was started since then signs with the key.
  SteadyTime worker_since() const { return worker_since_; }
  // A new worker has said that something is wrong with it. It is still asked for, but no worker is
  // replaced over the answer but now and then (IsToBeAskedAnew).
  bool ails() const { return !ailment_.ok(); }
  // Signatures of two workers did not verify: nothing is signed with it any more.
  bool out_of_service() const { return out_of_service_; }

  // It gave a signature.
  void Signed();
  // Its test signature verified. Where that settles a doubt, the time of the doubt: workers started
  // before see what is no more.
  std::optional<SteadyTime> PassedTest(SteadyTime worker_start);

  // Its test signature did not verify. True where it is out of service now; false where a worker
  // started since is to be asked.
  bool Mismatched(SteadyTime worker_start, SteadyTime now);

  // What follows from an error that a worker answered instead of a signature.
  enum class AfterError {
    kAnswer,         // the caller gets it
    kRefusePin,      // the caller gets it, and so does everybody until the PIN has changed
    kAwaitYounger,   // a worker that was started since signs it instead
    kReplaceWorker,  // the same, and this one goes, as it was started before
    kWorkerLost,     // the worker can do nothing any more, and is lost over the call
  };
  AfterError Failed(const absl::Status& error, SteadyTime worker_start,
                    const CustodianCondition& condition, SteadyTime now);

  // What follows from an error that a worker answered to the key's test.
  enum class AfterTest {
    kNothing,
    kBelieve,        // whoever waits for the key gets it
    kRefusePin,      // the same, and the PIN is not tried for the key until it has changed
    kReplaceWorker,  // another is to be tested
    kJudgeLast,      // the worker's fault or the key's: others of its keys tell
  };
  // `serving`: the worker has passed its first tests.
  AfterTest FailedTest(const absl::Status& error, SteadyTime worker_start, bool serving,
                       const CustodianCondition& condition, SteadyTime now);
  // What a new worker said is believed.
  void Believe(const absl::Status& error, SteadyTime worker_start);

  // Workers of any age may sign with it again.
  void TrustAllWorkers() { worker_since_ = SteadyTime::min(); }

 private:
  // Another worker must be heard. True where this one was started before the doubt arose.
  bool Doubt(SteadyTime worker_start, SteadyTime now);

  SteadyTime worker_since_ = SteadyTime::min();
  absl::Status ailment_;
  // When the first worker that said so was started, and the last.
  std::optional<SteadyTime> ails_since_;
  SteadyTime confirmed_at_;
  // When a test signature did not verify, unless a worker started since gave one that did.
  std::optional<SteadyTime> mismatched_at_;
  bool out_of_service_ = false;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_KEY_HEALTH_H_
