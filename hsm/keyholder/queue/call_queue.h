// Where the threads that ask a custodian and the lanes of its workers meet.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_QUEUE_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_QUEUE_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/keyholder/queue/call.h"
#include "hsm/keyholder/queue/held_keys.h"
#include "hsm/keyholder/queue/pin_stamp.h"
#include "hsm/keyholder/queue/waker.h"
#include "hsm/keyholder/recovery/circuit.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// Safe to call from several threads. One lane, counted from 0, serves one worker process at a time.
class CallQueue {
 public:
  struct Options {
    std::string name;  // of the custodian
    std::optional<PinSource> pin_source;
    // A refused PIN stops everything, as a token's login does; else only what it was refused for.
    bool pin_logs_in = true;
    std::chrono::milliseconds wait;
    KeyObserver* observer = nullptr;
    // The URI of one of its keys, for the observer.
    std::function<std::string(const KeySelector&)> uri_of;
  };
  explicit CallQueue(Options options) : options_(std::move(options)), circuit_(options_.name) {}

  // For those who ask (call_queue.cc). They block until there is an answer or their time is up.

  // As KeyCustodian::SignDigest. What cannot be signed in time is refused at once.
  absl::StatusOr<std::string> Sign(const CustodialKey& key, absl::string_view digest);
  // As KeyCustodian::SignDigests.
  std::vector<absl::StatusOr<std::string>> SignAll(const CustodialKey& key,
                                                   absl::Span<const std::string> digests);
  // A worker that takes longer than `timeout` hangs; the answer is waited for at most `wait`, which
  // begins anew with each part of one that comes in parts. An error is what the worker answered, or
  // KEY_UNAVAILABLE.
  absl::StatusOr<keyholder::Reply> Ask(keyholder::Request request,
                                       std::chrono::milliseconds timeout,
                                       std::chrono::milliseconds wait);
  // A key that was opened is tested with each worker; one that was destroyed no more.
  absl::Status Hold(const CustodialKey& key);
  void Forget(const KeySelector& selector);

  CustodianStatus Status() const;

  // Fails all who wait and who will. The lanes are to end.
  void Stop();

  // For the lanes (call_queue_lanes.cc).

  // What wakes the lane; valid as long as this object.
  const Waker& AddLane();
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  // Whether the lane may start a worker now; else when to ask again, if it was not woken before.
  // One worker starts at a time, so that a refused PIN is noticed before the next one tries it.
  // `stamp` is the PIN's as it is now.
  struct Permit {
    bool granted = false;
    SteadyTime ask_again;
  };
  Permit AskToStart(int lane, const PinStamp& stamp, SteadyTime now);
  void Spawned(int lane);
  // The worker has logged in: the next one may.
  void Greeted(int lane, SteadyTime now);
  // The worker, started at `start`, has passed its tests, and signs on `threads`.
  void Ready(int lane, int threads, SteadyTime start, SteadyTime now);
  // The worker ended, or could not be started. `error_class` as in CustodianStatus::errors, or
  // empty where the error was counted already.
  // `before_serving`: it would go wrong for the next one as well.
  void Lost(int lane, absl::string_view error_class, absl::string_view why, bool before_serving,
            SteadyTime now);
  // The worker ended because another number of threads is better.
  void Retired(int lane);
  // The PIN of that stamp was refused for a key's label or a sealed blob, `subject`; where it logs
  // in, to this process alone: those that are logged in go on, and none other starts until the
  // stamp is another.
  void PinRefused(const std::string& subject, const PinStamp& stamp, const absl::Status& error,
                  SteadyTime now);

  // Signatures for one key, or one other call; nothing: the lane is woken once there is some.
  struct Work {
    std::shared_ptr<HeldKey> key;
    std::vector<std::shared_ptr<Call>> calls;
    SteadyTime overdue_at = SteadyTime::max();
    bool worker_is_stale = false;  // is to be replaced once it owes nothing
  };
  // How a lane stands when it asks for work.
  struct Standing {
    int outstanding = 0;  // requests that its worker owes on its signing socket
    int long_calls = 0;   // and on the other one, those that may take minutes and cannot be parted
    bool others = false;  // has a thread for calls that are no signatures
    bool lists = false;   // and these may be a list: it has none under way
    bool administers = true;  // has no call under way that makes or destroys a key
  };
  // A call that may take minutes is not given to the last worker that signs while another one could
  // take it.
  Work Take(int lane, const Standing& standing, SteadyTime now);
  // Puts back what the worker did not come to, at no fault of its own.
  void PutBackUntouched(const Work& work);
  // Puts work that a worker was lost over back at the front; the third time is the last.
  void PutBackAfterLoss(Work work, absl::string_view why, SteadyTime now);
  // The worker answered `signatures` for the key, taking `one_signature` each; the first that it
  // still owes is overdue at `overdue_at` (SteadyTime::max(): none).
  void Signed(int lane, HeldKey& key, int signatures, std::chrono::nanoseconds one_signature,
              SteadyTime overdue_at);
  void Count(int lane, const keyholder::Counters& counters);

  // Which keys a worker is to be tested with, those that are waited for first.
  std::vector<std::shared_ptr<HeldKey>> KeysToCheck(SteadyTime worker_start) const;
  // What a worker that was started at `worker_start` said to the key's test, taking `took` for it.
  void Diagnose(HeldKey& key, const absl::Status& verdict, SteadyTime worker_start,
                std::chrono::nanoseconds took);
  // The key's test signature did not verify. False where a worker started anew is to be asked; true
  // where this one was: the key is out of service.
  bool Mismatched(HeldKey& key, SteadyTime worker_start, SteadyTime now);
  // A new worker has said that the key ails, or one would have to be asked about `error` and none
  // can start.
  bool IsBelieved(const HeldKey& key, const absl::Status& error) const;
  // If so, answers the call with that error; unless it is time to ask a new worker.
  bool TellIfAiling(HeldKey& key, Call& call, const absl::Status& error, SteadyTime now);
  // Another worker must be heard on an error. True where this one is to be replaced, false where
  // one that is younger is awaited.
  bool WantSecondOpinion(HeldKey& key, SteadyTime worker_start, SteadyTime now);
  // The same, and puts the call back.
  bool Doubt(const std::shared_ptr<HeldKey>& key, const std::shared_ptr<Call>& call,
             SteadyTime worker_start, SteadyTime now);
  // The same for a call that is no signature but concerns the key of this selector.
  bool DoubtOther(const KeySelector& selector, const std::shared_ptr<Call>& call, SteadyTime now);

  // To the observer.
  void Report(int pid, absl::string_view how_it_ended) const;
  void ReportLines(absl::string_view lines) const;

 private:
  struct Lane {
    Waker waker;
    SteadyTime worker_start = SteadyTime::min();
    bool wants_work = false;
    bool woken = false;  // to take some
    bool wants_start = false;
    bool running = false;
    bool started_before = false;
    int outstanding = 0;
    int long_calls = 0;
    int threads = 0;               // of the worker that is ready
    keyholder::Counters counters;  // of the worker that runs
  };
  struct Refusal {
    PinStamp stamp;
    absl::Status error;
  };

  absl::Status Stopped() const;

  // All with mutex_ held.
  absl::Status Admit(const std::string& subject, SteadyTime now);
  // KEY_UNAVAILABLE, and when to ask again, where the key's turn would come too late. Not before
  // its pace is known; a token that signs on several threads at once is given the benefit of the
  // doubt.
  absl::Status AdmitInTime(const HeldKey& key) const;
  // Puts the calls in line, once they are admitted; answers those whose turn would come too late.
  absl::StatusOr<std::shared_ptr<HeldKey>> Enqueue(const CustodialKey& key,
                                                   const std::vector<std::shared_ptr<Call>>& calls,
                                                   SteadyTime now);
  bool LeavesASigner(int lane) const;
  void WakeLanes(std::size_t calls);
  void WakeStarters();
  bool NoneCanStart() const;
  void EndWorker(Lane& lane);
  void FailEveryone(const absl::Status& error);
  void FailOthers(const absl::Status& error);
  void Changed();
  CustodianStatus StatusLocked() const;

  // The error for calls whose time was up.
  absl::Status GiveUp(HeldKey* key, absl::Span<const std::shared_ptr<Call>> calls);

  const Options options_;
  std::atomic<bool> stopped_ = false;
  std::atomic<int> waiting_ = 0;   // callers
  std::atomic<int> unsigned_ = 0;  // signatures that they wait for

  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Circuit circuit_;
  HeldKeys keys_;
  std::deque<std::shared_ptr<Call>> others_;
  std::deque<Lane> lanes_;
  std::chrono::nanoseconds slowest_pace_{0};  // there ever was
  std::optional<int> starting_;               // the lane whose worker logs in
  BackOff back_off_;
  SteadyTime next_start_ = SteadyTime::min();
  SteadyTime stale_before_ = SteadyTime::min();
  std::map<std::string, Refusal> refusals_;
  CustodianStatus totals_;  // of workers that have ended, and what was counted here
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_QUEUE_H_
