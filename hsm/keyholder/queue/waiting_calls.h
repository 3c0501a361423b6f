// The calls that wait for a worker, in line: signatures by their keys, and all others.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_WAITING_CALLS_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_WAITING_CALLS_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hsm/key/custodian.h"
#include "hsm/keyholder/queue/call.h"
#include "hsm/keyholder/queue/key_queues.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// Signatures for one key, or one other call.
struct Work {
  std::shared_ptr<KeyQueue> key;  // null: another call
  std::vector<std::shared_ptr<Call>> calls;
  SteadyTime overdue_at = SteadyTime::max();
  bool operator==(const Work&) const = default;
};

// A call that may take minutes, and is one call of the module, during which some sign nothing else.
bool MayTakeMinutes(Call& call);

// Not for several threads; every `now` is now.
class WaitingCalls {
 public:
  // What a worker may be given.
  struct Room {
    SteadyTime worker_start;
    int outstanding = 0;      // requests that it owes already
    bool others = false;      // has a thread for calls that are no signatures
    bool lists = false;       // and these may be a list
    bool administers = true;  // may make or destroy a key
    bool minutes = true;      // which may take minutes
    int takers = 1;           // it, and the workers that have room as well
  };
  // The oldest other call that the worker may be given, else signatures for the key whose turn it
  // is, as many as are its share. No calls: it may take nothing before it has answered something,
  // or nobody waits any more for those there were (`key` is set). std::nullopt: there is nothing
  // for it.
  std::optional<Work> Take(const Room& room, SteadyTime now);

  // Puts signatures at the end of the key's line, any other call at the end of the others'.
  void Append(const std::shared_ptr<KeyQueue>& key, std::shared_ptr<Call> call);
  void AppendOther(std::shared_ptr<Call> call);
  // Puts what was taken back at the front, in its order.
  void PutBack(Work work);
  // Removes those of the calls that still wait; null: other calls.
  void Remove(KeyQueue* key, absl::Span<const std::shared_ptr<Call>> calls);
  std::size_t others() const { return others_.size(); }

  // As KeyQueues.
  absl::StatusOr<std::shared_ptr<KeyQueue>> Hold(const CustodialKey& key) {
    return keys_.Hold(key);
  }
  std::vector<std::shared_ptr<Call>> Forget(const KeySelector& selector) {
    return keys_.Forget(selector);
  }
  std::shared_ptr<KeyQueue> Find(const KeySelector& selector) const { return keys_.Find(selector); }
  std::vector<std::shared_ptr<KeyQueue>> KeysToCheck() const { return keys_.KeysToCheck(); }

  // Notes that signatures with the key took `one_signature` each.
  void NotePace(KeyQueue& key, std::chrono::nanoseconds one_signature);
  // Until when one more signature with the key would be signed by `threads`, where that is later
  // than `wait`; `unanswered` are asked for in all, with it. std::nullopt: in time, or no pace is
  // known yet; what signs on several threads at once is given the benefit of the doubt.
  std::optional<std::chrono::nanoseconds> TooLate(const KeyQueue& key, int unanswered, int threads,
                                                  std::chrono::nanoseconds wait) const;

  // Workers of any age may answer every call again.
  void TrustAllWorkers();

  std::vector<std::shared_ptr<Call>> TakeSignatures() { return keys_.TakeAllCalls(); }
  std::vector<std::shared_ptr<Call>> TakeOthers();

 private:
  KeyQueues keys_;
  std::deque<std::shared_ptr<Call>> others_;
  std::chrono::nanoseconds slowest_pace_{0};  // there ever was
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_WAITING_CALLS_H_
