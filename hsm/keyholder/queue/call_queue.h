// Where the threads that ask a custodian and the links of its workers meet.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_QUEUE_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_QUEUE_H_

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/base/mutex.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/keyholder/protocol/keyholder.pb.h"
#include "hsm/keyholder/queue/call.h"
#include "hsm/keyholder/queue/key_health.h"
#include "hsm/keyholder/queue/key_queues.h"
#include "hsm/keyholder/queue/pin_stamp.h"
#include "hsm/keyholder/queue/start_gate.h"
#include "hsm/keyholder/queue/waiting_calls.h"
#include "hsm/keyholder/queue/waker.h"
#include "hsm/keyholder/recovery/circuit.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// Safe to call from several threads. One link, counted from 0, serves one worker process at a time.
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
  explicit CallQueue(Options options)
      : options_(std::move(options)),
        circuit_(options_.name),
        start_gate_(options_.pin_logs_in, options_.pin_source) {}

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

  // Fails all who wait and who will. The links are to end.
  void Stop();

  // For the links (call_queue_links.cc).

  // What wakes the link; valid as long as this object.
  const Waker& AddLink();
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  // Whether the link may start a worker now; else when to ask again, if it was not woken before.
  // One worker starts at a time, so that a refused PIN is noticed before the next one tries it.
  // `stamp` is the PIN's as it is now.
  StartGate::Permit AskToStart(int link, const PinStamp& stamp, SteadyTime now);
  void Spawned(int link);
  // The worker has logged in: the next one may.
  void Greeted(int link, SteadyTime now);
  // The worker, started at `start`, has passed its tests, and signs on `threads`.
  void Ready(int link, int threads, SteadyTime start, SteadyTime now);
  // The worker ended, or could not be started. `error_class` as in CustodianStatus::errors, or
  // empty where the error was counted already.
  // `before_serving`: it would go wrong for the next one as well.
  void Lost(int link, absl::string_view error_class, absl::string_view why, bool before_serving,
            SteadyTime now);
  // The worker ended because another number of threads is better.
  void Retired(int link);
  // The PIN of that stamp was refused to a worker that would log in: those that are logged in go
  // on, and none other starts until the stamp is another.
  void LoginRefused(const PinStamp& stamp, const absl::Status& error, SteadyTime now);

  // How a worker stands when its link asks for work.
  struct Standing {
    int outstanding = 0;  // requests that it owes on its signing socket
    int long_calls = 0;   // and on the other one, those that may take minutes and cannot be parted
    bool others = false;  // has a thread for calls that are no signatures
    bool lists = false;   // and these may be a list: it has none under way
    bool administers = true;  // has no call under way that makes or destroys a key
  };
  // What it is given. No calls: it is woken once there are some, or asks again when it has answered
  // something.
  struct Given {
    Work work;
    bool worker_is_stale = false;  // is to be replaced once it owes nothing
  };
  // A call that may take minutes is not given to the last worker that signs while another one could
  // take it.
  Given Take(int link, const Standing& standing, SteadyTime now);
  // Puts back what the worker did not come to, at no fault of its own.
  void PutBackUntouched(Work work);
  // Puts work that a worker was lost over back at the front; the third time is the last.
  void PutBackAfterLoss(Work work, absl::string_view why, SteadyTime now);

  // Of the worker, started at `worker_start`, that answered `work` with these, a signature or an
  // error for each call, taking `one_signature` each; the first that it still owes is overdue at
  // `overdue_at` (SteadyTime::max(): none). An error: why the worker is to be replaced.
  struct Signatures {
    SteadyTime worker_start;
    std::vector<absl::StatusOr<std::string>> answers;
    std::chrono::nanoseconds one_signature;
    SteadyTime overdue_at = SteadyTime::max();
  };
  absl::Status Signed(int link, Work work, Signatures signatures, SteadyTime now);
  // The worker answered the error to a call that is no signature. As Signed.
  absl::Status OtherFailed(Work work, const absl::Status& error, SteadyTime now);
  void Count(int link, const keyholder::Counters& counters);

  // Which keys a worker is to be tested with, those that are waited for first.
  std::vector<std::shared_ptr<KeyQueue>> KeysToCheck(SteadyTime worker_start) const;
  // What a worker answered to the key's test.
  struct Tested {
    SteadyTime worker_start;
    bool serving = false;   // has passed its first tests
    absl::Status error;     // instead of a signature
    bool mismatch = false;  // a signature that does not verify
    std::chrono::nanoseconds took{0};
  };
  enum class AfterTest {
    kNextKey,
    kReplaceWorker,
    kJudgeLast,  // where another key passes, the error is the key's (KeyFailed); else the worker's
  };
  AfterTest NoteTest(KeyQueue& key, const Tested& tested, SteadyTime now);
  // What a new worker said to the key's test is believed: whoever waits for the key gets it.
  void KeyFailed(KeyQueue& key, const absl::Status& error, SteadyTime worker_start);

  // To the observer.
  void Report(int pid, absl::string_view how_it_ended) const;
  void ReportLines(absl::string_view lines) const;

 private:
  struct Link {
    Waker waker;
    SteadyTime worker_start = SteadyTime::min();
    bool wants_work = false;
    bool woken = false;  // to take some
    bool running = false;
    bool started_before = false;
    int outstanding = 0;
    int long_calls = 0;
    int threads = 0;               // of the worker that is ready
    keyholder::Counters counters;  // of the worker that runs
  };
  absl::Status Stopped() const;
  absl::Status OutOfService(const KeySelector& selector) const;

  absl::Status Admit(const std::string& subject, SteadyTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // KEY_UNAVAILABLE, and when to ask again, where the key's turn would come too late
  // (WaitingCalls::TooLate).
  absl::Status AdmitInTime(const KeyQueue& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool LeavesASigner(int link) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeLinks(std::size_t calls) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeStarters() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  CustodianCondition Condition() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndWorker(Link& link) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RefuseLogin(const PinStamp& stamp, const absl::Status& error, SteadyTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Answers the call or puts it back, but for a worker that is lost over it.
  KeyHealth::AfterError Settle(const std::shared_ptr<KeyQueue>& key,
                               const std::shared_ptr<Call>& call, const absl::Status& error,
                               SteadyTime worker_start, SteadyTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteSigned(KeyQueue& key, int signatures, std::chrono::nanoseconds one_signature)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PutBackLocked(Work work, absl::string_view why, SteadyTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A new worker is to answer the call, which concerns a key that is not found; puts it back.
  bool DoubtOther(const std::shared_ptr<Call>& call, SteadyTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Mismatched(KeyQueue& key, SteadyTime worker_start, SteadyTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NotePassed(KeyQueue& key, SteadyTime worker_start, std::chrono::nanoseconds took)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellWaiting(KeyQueue& key, const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FailEveryone(const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FailOthers(const absl::Status& error) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  CustodianStatus StatusLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Puts the calls in line, once they are admitted; answers those whose turn would come too late.
  absl::StatusOr<std::shared_ptr<KeyQueue>> Enqueue(const CustodialKey& key,
                                                    const std::vector<std::shared_ptr<Call>>& calls,
                                                    SteadyTime now);
  // The error for calls whose time was up.
  absl::Status GiveUp(KeyQueue* key, absl::Span<const std::shared_ptr<Call>> calls);

  const Options options_;
  std::atomic<bool> stopped_ = false;
  std::atomic<int> waiting_ = 0;   // callers
  std::atomic<int> unsigned_ = 0;  // signatures that they wait for

  mutable Mutex mutex_;
  Circuit circuit_ ABSL_GUARDED_BY(mutex_);
  WaitingCalls calls_ ABSL_GUARDED_BY(mutex_);
  StartGate start_gate_ ABSL_GUARDED_BY(mutex_);
  std::deque<Link> links_ ABSL_GUARDED_BY(mutex_);
  SteadyTime stale_before_ ABSL_GUARDED_BY(mutex_) = SteadyTime::min();
  // Of workers that have ended, and what was counted here.
  CustodianStatus totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_CALL_QUEUE_H_
