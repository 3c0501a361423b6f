#include "hsm/keyholder/queue/key_queues.h"

#include <algorithm>
#include <iterator>

#include "absl/container/flat_hash_set.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::hsm {
namespace {

constexpr std::size_t kRecentlyUsed = 4;

bool Selects(const KeySelector& selector, const KeyQueue& held) {
  return selector.label == held.key.selector.label &&
         (selector.id.empty() || selector.id == held.key.selector.id);
}

}  // namespace

KeyQueues::Identity KeyQueues::IdentityOf(const CustodialKey& key) {
  return {key.public_key, key.selector.label, key.selector.id};
}

absl::StatusOr<std::shared_ptr<KeyQueue>> KeyQueues::Hold(const CustodialKey& key) {
  const auto found = keys_.find(IdentityOf(key));
  if (found != keys_.end() && found->second->key.type == key.type) return found->second;
  ASSIGN_OR_RETURN(VerifyingKey verifier, VerifyingKey::FromPublicKey(key.public_key));
  if (verifier.type() != key.type) {
    return Error(ErrorReason::kKeyMismatch, "public_key", "is not of the key's type");
  }
  auto held = std::make_shared<KeyQueue>(key, std::move(verifier));
  keys_.emplace(IdentityOf(held->key), held);
  return held;
}

std::vector<std::shared_ptr<Call>> KeyQueues::Forget(const KeySelector& selector) {
  std::vector<std::shared_ptr<Call>> calls;
  for (auto entry = keys_.begin(); entry != keys_.end();) {
    // Its identity is a part of it.
    const std::shared_ptr<KeyQueue> held = entry->second;
    if (!Selects(selector, *held)) {
      ++entry;
      continue;
    }
    std::move(held->calls.begin(), held->calls.end(), std::back_inserter(calls));
    held->calls.clear();
    keys_.erase(entry++);
  }
  return calls;
}

std::shared_ptr<KeyQueue> KeyQueues::Find(const KeySelector& selector) const {
  const auto found = std::find_if(keys_.begin(), keys_.end(), [&](const auto& entry) {
    return Selects(selector, *entry.second);
  });
  return found == keys_.end() ? nullptr : found->second;
}

void KeyQueues::Append(const std::shared_ptr<KeyQueue>& key, std::shared_ptr<Call> call) {
  key->calls.push_back(std::move(call));
  if (!std::exchange(key->in_turn, true)) turns_.push_back(key);
}

void KeyQueues::PutBack(const std::shared_ptr<KeyQueue>& key,
                        std::vector<std::shared_ptr<Call>> calls) {
  key->calls.insert(key->calls.begin(), std::make_move_iterator(calls.begin()),
                    std::make_move_iterator(calls.end()));
  if (!std::exchange(key->in_turn, true)) turns_.push_front(key);
}

void KeyQueues::Remove(KeyQueue& key, absl::Span<const std::shared_ptr<Call>> calls) {
  const absl::flat_hash_set<std::shared_ptr<Call>> removed(calls.begin(), calls.end());
  key.calls.erase(std::remove_if(key.calls.begin(), key.calls.end(),
                                 [&](const auto& call) { return removed.contains(call); }),
                  key.calls.end());
}

std::shared_ptr<KeyQueue> KeyQueues::NextInTurn(SteadyTime worker_start) {
  for (std::size_t looked_at = turns_.size(); looked_at > 0; --looked_at) {
    std::shared_ptr<KeyQueue> key = std::move(turns_.front());
    turns_.pop_front();
    if (key->calls.empty()) {
      key->in_turn = false;
      continue;
    }
    turns_.push_back(key);
    if (key->health.worker_since() <= worker_start) return key;
  }
  return nullptr;
}

std::vector<std::shared_ptr<Call>> KeyQueues::TakeCalls(KeyQueue& key, std::size_t most) {
  std::vector<std::shared_ptr<Call>> calls;
  calls.reserve(std::min(most, key.calls.size()));
  while (!key.calls.empty() && calls.size() < most) {
    if (!key.calls.front()->abandoned()) calls.push_back(std::move(key.calls.front()));
    key.calls.pop_front();
  }
  return calls;
}

std::chrono::nanoseconds KeyQueues::TimeUntilSigned(const KeyQueue& key) const {
  using std::chrono::nanoseconds;
  const auto turn_of = [](const KeyQueue& held) {
    return std::max<nanoseconds>(held.pace, kLongestBatch);
  };
  const nanoseconds own = static_cast<nanoseconds::rep>(key.calls.size() + 1) * key.pace;
  const nanoseconds::rep turns = (own + turn_of(key) - nanoseconds(1)) / turn_of(key);
  nanoseconds time = own;
  for (const auto& other : turns_) {
    if (other.get() == &key) continue;
    time += std::min(static_cast<nanoseconds::rep>(other->calls.size()) * other->pace,
                     turns * turn_of(*other));
  }
  return time;
}

void KeyQueues::TrustAllWorkers() {
  for (const auto& [identity, held] : keys_) held->health.TrustAllWorkers();
}

std::vector<std::shared_ptr<Call>> KeyQueues::TakeAllCalls() {
  std::vector<std::shared_ptr<Call>> calls;
  for (const auto& [identity, held] : keys_) {
    std::move(held->calls.begin(), held->calls.end(), std::back_inserter(calls));
    held->calls.clear();
  }
  return calls;
}

std::vector<std::shared_ptr<KeyQueue>> KeyQueues::KeysToCheck() const {
  std::vector<std::shared_ptr<KeyQueue>> keys;
  for (const auto& [identity, held] : keys_) {
    if (!held->health.out_of_service()) keys.push_back(held);
  }
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    if (a->calls.empty() != b->calls.empty()) return b->calls.empty();
    return a->last_used > b->last_used;
  });
  std::size_t wanted = 0;
  while (wanted < keys.size() && (wanted < kRecentlyUsed || !keys[wanted]->calls.empty())) ++wanted;
  keys.resize(wanted);
  return keys;
}

}  // namespace hourglass::hsm
