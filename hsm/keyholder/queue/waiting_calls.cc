#include "hsm/keyholder/queue/waiting_calls.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "hsm/keyholder/protocol/protocol.h"

namespace hourglass::hsm {

using std::chrono::nanoseconds;

bool MayTakeMinutes(Call& call) { return call.request().has_generate(); }

std::optional<Work> WaitingCalls::Take(const Room& room, SteadyTime now) {
  Work work;
  const auto other = std::find_if(others_.begin(), others_.end(), [&](const auto& call) {
    return call->worker_since <= room.worker_start && (room.lists || !call->request().has_list()) &&
           (room.administers || !IsAdministrative(call->request())) &&
           (room.minutes || !MayTakeMinutes(*call));
  });
  if (other != others_.end()) {
    // Until there is a thread for it nothing else goes first, or it might wait for ever.
    if (!room.others && !IsAdministrative((*other)->request())) return work;
    work.calls.push_back(std::move(*other));
    others_.erase(other);
    return work;
  }
  work.key = keys_.NextInTurn(room.worker_start);
  if (work.key == nullptr) return std::nullopt;
  const nanoseconds one_signature = work.key->one_signature;
  work.calls = KeyQueues::TakeCalls(*work.key,
                                    BatchSize(work.key->calls.size(), room.takers, one_signature));
  const nanoseconds overdue = OverdueAfter(work.calls.size(), one_signature);
  work.overdue_at = now + (room.outstanding == 0 ? 1 : 2) * overdue;
  return work;
}

void WaitingCalls::Append(const std::shared_ptr<KeyQueue>& key, std::shared_ptr<Call> call) {
  keys_.Append(key, std::move(call));
}

void WaitingCalls::AppendOther(std::shared_ptr<Call> call) { others_.push_back(std::move(call)); }

void WaitingCalls::PutBack(Work work) {
  if (work.key != nullptr) return keys_.PutBack(work.key, std::move(work.calls));
  others_.insert(others_.begin(), std::make_move_iterator(work.calls.begin()),
                 std::make_move_iterator(work.calls.end()));
}

void WaitingCalls::Remove(KeyQueue* key, absl::Span<const std::shared_ptr<Call>> calls) {
  if (key != nullptr) return keys_.Remove(*key, calls);
  for (const auto& call : calls) {
    others_.erase(std::remove(others_.begin(), others_.end(), call), others_.end());
  }
}

void WaitingCalls::NotePace(KeyQueue& key, nanoseconds one_signature) {
  key.one_signature =
      key.one_signature.count() == 0 ? one_signature : (7 * key.one_signature + one_signature) / 8;
  key.pace = SteadyMean(key.pace, one_signature);
  slowest_pace_ = std::max(slowest_pace_, key.pace);
}

std::optional<nanoseconds> WaitingCalls::TooLate(const KeyQueue& key, int unanswered, int threads,
                                                 nanoseconds wait) const {
  // Most often this is enough, and looks at no key.
  if (threads == 0 || unanswered * slowest_pace_ <= threads * wait) return std::nullopt;
  const nanoseconds until = keys_.TimeUntilSigned(key) / threads;
  if (until <= wait) return std::nullopt;
  return until;
}

void WaitingCalls::TrustAllWorkers() {
  keys_.TrustAllWorkers();
  for (const auto& call : others_) call->worker_since = SteadyTime::min();
}

std::vector<std::shared_ptr<Call>> WaitingCalls::TakeOthers() {
  const std::deque<std::shared_ptr<Call>> others = std::exchange(others_, {});
  return {others.begin(), others.end()};
}

}  // namespace hourglass::hsm
