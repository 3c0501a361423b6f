// The keys of a custodian that were asked for, and the signatures that wait for each.
#ifndef HOURGLASS_HSM_KEYHOLDER_QUEUE_KEY_QUEUES_H_
#define HOURGLASS_HSM_KEYHOLDER_QUEUE_KEY_QUEUES_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/key/custodian.h"
#include "hsm/key/signature.h"
#include "hsm/keyholder/queue/call.h"
#include "hsm/keyholder/queue/key_health.h"
#include "hsm/keyholder/recovery/recovery.h"

namespace hourglass::hsm {

// A key with the signatures that wait for it. All but the first two is guarded by the mutex of the
// CallQueue whose key it is.
struct KeyQueue {
  KeyQueue(CustodialKey custodial_key, VerifyingKey verifying_key)
      : key(std::move(custodial_key)), verifier(std::move(verifying_key)) {}

  const CustodialKey key;
  const VerifyingKey verifier;

  std::deque<std::shared_ptr<Call>> calls;  // that wait for a worker
  bool in_turn = false;                     // stands in the line of keys; with calls it always does
  SteadyTime last_used = SteadyTime::min();
  std::chrono::nanoseconds one_signature{0};  // takes so long of late; 0: not known
  std::chrono::nanoseconds pace{0};           // the same, as SteadyMean
  KeyHealth health;
};

// Not for several threads.
class KeyQueues {
 public:
  // The key as it is known, or anew. Errors: of VerifyingKey::FromPublicKey; KEY_MISMATCH where the
  // public key is not of the key's type.
  absl::StatusOr<std::shared_ptr<KeyQueue>> Hold(const CustodialKey& key);
  // Returns the forgotten keys' calls.
  std::vector<std::shared_ptr<Call>> Forget(const KeySelector& selector);
  // A key of this label, and of this id unless it is empty.
  std::shared_ptr<KeyQueue> Find(const KeySelector& selector) const;

  void Append(const std::shared_ptr<KeyQueue>& key, std::shared_ptr<Call> call);
  void PutBack(const std::shared_ptr<KeyQueue>& key, std::vector<std::shared_ptr<Call>> calls);
  void Remove(KeyQueue& key, absl::Span<const std::shared_ptr<Call>> calls);

  // The next key in turn that a worker started at `worker_start` may sign with and that has calls
  // waiting, or null. Keys take turns, so that none waits for a burst of another.
  std::shared_ptr<KeyQueue> NextInTurn(SteadyTime worker_start);
  // Takes at most `most` calls off the key that was last returned; drops those that nobody waits
  // for.
  static std::vector<std::shared_ptr<Call>> TakeCalls(KeyQueue& key, std::size_t most);

  // How long one thread would take to sign all that is before one more call of the key, and this
  // too, as keys take turns. Keys whose pace is not known take no time.
  std::chrono::nanoseconds TimeUntilSigned(const KeyQueue& key) const;

  // Workers of any age may sign with every key again.
  void TrustAllWorkers();

  // Every call there is.
  std::vector<std::shared_ptr<Call>> TakeAllCalls();

  // Those with calls waiting, and the four that were used last.
  std::vector<std::shared_ptr<KeyQueue>> KeysToCheck() const;

 private:
  // Public key, label and id, which stand in the key itself.
  using Identity = std::tuple<absl::string_view, absl::string_view, absl::string_view>;
  static Identity IdentityOf(const CustodialKey& key);
  void Queue(const std::shared_ptr<KeyQueue>& key);

  absl::flat_hash_map<Identity, std::shared_ptr<KeyQueue>> keys_;
  // The keys that have calls, each once; the first is next.
  std::deque<std::shared_ptr<KeyQueue>> turns_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_QUEUE_KEY_QUEUES_H_
