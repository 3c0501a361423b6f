// What to do about a custodian that fails: decisions alone, without clocks, processes or locks.
#ifndef HOURGLASS_HSM_KEYHOLDER_RECOVERY_RECOVERY_H_
#define HOURGLASS_HSM_KEYHOLDER_RECOVERY_RECOVERY_H_

#include <chrono>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "hsm/key/custodian.h"

namespace hourglass::hsm {

using SteadyTime = std::chrono::steady_clock::time_point;

// Pauses before a worker is started anew.
class BackOff {
 public:
  // The pause after a failure at `now`: none after the first in ten seconds, then 25, 50, 100, 200,
  // 400 and 500 ms.
  std::chrono::milliseconds AfterFailure(SteadyTime now);

 private:
  int failures_ = 0;
  std::optional<SteadyTime> last_;
};

// How long a worker that does not serve yet is waited for. A module that hangs while it starts must
// be given up soon, for the next worker may find it well; one that has become slow must be let
// start all the same.
class Patience {
 public:
  // `longest` where `usual`, what it took the last time, is 0. Else ten times that, at least half a
  // second, and half as much again for each worker that was given up in a row; at most `longest`.
  std::chrono::nanoseconds For(std::chrono::nanoseconds usual,
                               std::chrono::nanoseconds longest) const;
  void GaveUp() { ++lost_; }
  void Served() { lost_ = 0; }

 private:
  int lost_ = 0;
};

// A key may be restored behind the back of a module that looks no more. Whether a new worker is to
// be asked about a key that ails since `ails_since`, as a worker started at `confirmed_at` was the
// last to say: after half a second, then when it has been so for as long again, but each minute.
bool IsToBeAskedAnew(SteadyTime ails_since, SteadyTime confirmed_at, SteadyTime now);

// How many workers, and on how many threads each signs.
struct WorkerPlan {
  int workers = 1;
  int threads = 1;
  bool operator==(const WorkerPlan&) const = default;
};

// `workers` and `sessions` as in RemoteCustodianOptions. Only one worker for what only one process
// can use, whatever is asked for; each worker needs a session more than it has threads.
WorkerPlan PlanWorkers(int workers, int sessions, const CustodianFacts& facts, int cores);

// No batch of several signatures takes longer than this.
inline constexpr std::chrono::milliseconds kLongestBatch{10};

// How many of `waiting` calls (at least 1) a worker gets at once where `takers` workers have room:
// an even share, but at most 64, and no more than are signed in kLongestBatch where the time of one
// signature is known (else 0).
std::size_t BatchSize(std::size_t waiting, int takers, std::chrono::nanoseconds one_signature);

// The exponentially weighted mean of what takes `mean` (0: not known) and lately took `latest`. A
// stall counts for no more than eight times the mean, so that it does not pass for a new pace.
std::chrono::nanoseconds SteadyMean(std::chrono::nanoseconds mean, std::chrono::nanoseconds latest);

// How long after it was sent a batch of `size` is overdue: 100 ms, or 20 times what it takes as a
// rule.
std::chrono::nanoseconds OverdueAfter(std::size_t size, std::chrono::nanoseconds one_signature);

// What an error that a worker answered calls for.
enum class WorkerRemedy {
  kNone,       // it is the answer
  kNewWorker,  // the worker can do nothing any more
  // Either it is the answer, or the worker's view of the token is stale (SoftHSM's is, once the
  // token's folder was away for a while): what a new worker says is believed.
  kSecondOpinion,
  kNewPin,  // nothing must log in until the PIN's source has changed
};
WorkerRemedy WorkerRemedyFor(const absl::Status& error);

// The error as a caller gets it: KEY_UNAVAILABLE says when to ask again, in half a second.
absl::Status ForCaller(absl::Status error);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_RECOVERY_RECOVERY_H_
