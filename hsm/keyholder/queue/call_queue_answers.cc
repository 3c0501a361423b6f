#include <algorithm>
#include <optional>
#include <utility>

#include "hsm/base/error.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "hsm/keyholder/queue/call_queue.h"

namespace hourglass::hsm {
namespace {

using std::chrono::nanoseconds;

// The selector of a call that only makes sense where the key is there.
std::optional<KeySelector> WantedKey(const keyholder::Request& request) {
  if (request.has_open()) return ReadSelector(request.open());
  if (request.has_destroy()) return ReadSelector(request.destroy());
  return std::nullopt;
}

}  // namespace

absl::Status CallQueue::Signed(int link, Work work, Signatures signatures, SteadyTime now) {
  int signed_calls = 0;
  for (std::size_t i = 0; i < work.calls.size(); ++i) {
    if (!signatures.answers[i].ok()) continue;
    ++signed_calls;
    work.calls[i]->AnswerSignature(*std::move(signatures.answers[i]));
  }
  const MutexLock lock(mutex_);
  Work again{work.key, {}};
  absl::Status replaced_over;
  for (std::size_t i = 0; i < work.calls.size(); ++i) {
    const absl::Status error = signatures.answers[i].status();
    if (error.ok()) continue;
    const auto after = Settle(work.key, work.calls[i], error, signatures.worker_start, now);
    if (after == KeyHealth::AfterError::kWorkerLost) again.calls.push_back(work.calls[i]);
    if (after == KeyHealth::AfterError::kWorkerLost ||
        after == KeyHealth::AfterError::kReplaceWorker) {
      replaced_over = error;
    }
  }
  circuit_.SetOverdueAt(link, signatures.overdue_at);
  NoteSigned(*work.key, signed_calls, signatures.one_signature);
  if (replaced_over.ok()) return replaced_over;
  if (WorkerRemedyFor(replaced_over) == WorkerRemedy::kNewPin) {
    RefuseLogin(StampOf(options_.pin_source), replaced_over, now);
  }
  PutBackLocked(std::move(again), replaced_over.message(), now);
  return replaced_over;
}

KeyHealth::AfterError CallQueue::Settle(const std::shared_ptr<KeyQueue>& key,
                                        const std::shared_ptr<Call>& call,
                                        const absl::Status& error, SteadyTime worker_start,
                                        SteadyTime now) {
  const auto after = key->health.Failed(error, worker_start, Condition(), now);
  switch (after) {
    case KeyHealth::AfterError::kRefusePin:
      start_gate_.RefusePin(key->key.selector.label, StampOf(options_.pin_source), error);
      [[fallthrough]];
    case KeyHealth::AfterError::kAnswer:
      call->AnswerError(ForCaller(error));
      break;
    case KeyHealth::AfterError::kAwaitYounger:
    case KeyHealth::AfterError::kReplaceWorker:
      calls_.PutBack({key, {call}});
      break;
    case KeyHealth::AfterError::kWorkerLost:
      break;
  }
  return after;
}

void CallQueue::NoteSigned(KeyQueue& key, int signatures, nanoseconds one_signature) {
  if (signatures == 0) return;
  totals_.signatures += static_cast<std::uint64_t>(signatures);
  totals_.signature_time = std::chrono::ceil<std::chrono::microseconds>(
      SteadyMean(totals_.signature_time, one_signature));
  key.health.Signed();
  calls_.NotePace(key, one_signature);
}

absl::Status CallQueue::OtherFailed(Work work, const absl::Status& error, SteadyTime now) {
  const MutexLock lock(mutex_);
  const std::shared_ptr<Call> call = work.calls[0];
  const keyholder::Request& request = call->request();
  const bool pin_refused = ReasonOf(error) == ErrorReason::kPinRefused;
  const PinStamp stamp = pin_refused ? StampOf(options_.pin_source) : PinStamp();
  const bool login_refused = pin_refused && options_.pin_logs_in;
  if (login_refused) RefuseLogin(stamp, error, now);
  if (login_refused || NeedsNewCustodian(error)) {
    PutBackLocked(std::move(work), error.message(), now);
    return error;
  }
  if (pin_refused && request.has_unseal() && request.unseal().recovery_code().empty()) {
    start_gate_.RefusePin(request.unseal().blob(), stamp, error);
  }
  if (ReasonOf(error) == ErrorReason::kKeyNotFound) {
    // The worker that was lost over this call may have destroyed the key before.
    if (request.has_destroy() && call->attempts > 0) {
      call->AnswerReply({});
      return absl::OkStatus();
    }
    if (DoubtOther(call, now)) return error;
  }
  call->AnswerError(error);
  return absl::OkStatus();
}

bool CallQueue::DoubtOther(const std::shared_ptr<Call>& call, SteadyTime now) {
  const std::optional<KeySelector> selector = WantedKey(call->request());
  if (!selector.has_value() || start_gate_.none_can_start()) return false;
  const std::shared_ptr<KeyQueue> key = calls_.Find(*selector);
  if (key == nullptr || key->health.ails() || call->worker_since != SteadyTime::min()) return false;
  call->worker_since = now;
  calls_.PutBack({nullptr, {call}});
  return true;
}

void CallQueue::Count(int link, const keyholder::Counters& counters) {
  const MutexLock lock(mutex_);
  links_[static_cast<std::size_t>(link)].counters = counters;
}

std::vector<std::shared_ptr<KeyQueue>> CallQueue::KeysToCheck(SteadyTime worker_start) const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<KeyQueue>> keys = calls_.KeysToCheck();
  keys.erase(std::remove_if(keys.begin(), keys.end(),
                            [&](const auto& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
                              return key->health.worker_since() > worker_start ||
                                     start_gate_.IsRefused(key->key.selector.label);
                            }),
             keys.end());
  return keys;
}

CallQueue::AfterTest CallQueue::NoteTest(KeyQueue& key, const Tested& tested, SteadyTime now) {
  const MutexLock lock(mutex_);
  if (tested.mismatch) {
    return Mismatched(key, tested.worker_start, now) ? AfterTest::kNextKey
                                                     : AfterTest::kReplaceWorker;
  }
  if (tested.error.ok()) {
    NotePassed(key, tested.worker_start, tested.took);
    return AfterTest::kNextKey;
  }
  switch (
      key.health.FailedTest(tested.error, tested.worker_start, tested.serving, Condition(), now)) {
    case KeyHealth::AfterTest::kNothing:
      break;
    case KeyHealth::AfterTest::kRefusePin:
      start_gate_.RefusePin(key.key.selector.label, StampOf(options_.pin_source), tested.error);
      [[fallthrough]];
    case KeyHealth::AfterTest::kBelieve:
      TellWaiting(key, ForCaller(tested.error));
      break;
    case KeyHealth::AfterTest::kReplaceWorker:
      if (WorkerRemedyFor(tested.error) == WorkerRemedy::kNewPin) {
        RefuseLogin(StampOf(options_.pin_source), tested.error, now);
      }
      return AfterTest::kReplaceWorker;
    case KeyHealth::AfterTest::kJudgeLast:
      return AfterTest::kJudgeLast;
  }
  return AfterTest::kNextKey;
}

void CallQueue::NotePassed(KeyQueue& key, SteadyTime worker_start, nanoseconds took) {
  if (key.one_signature.count() == 0) key.one_signature = took;
  // The doubt was right: workers as old as that one see what is no more.
  const std::optional<SteadyTime> doubted = key.health.PassedTest(worker_start);
  if (doubted.has_value()) stale_before_ = std::max(stale_before_, *doubted);
}

bool CallQueue::Mismatched(KeyQueue& key, SteadyTime worker_start, SteadyTime now) {
  ++totals_.errors["KEY_MISMATCH"];
  if (!key.health.Mismatched(worker_start, now)) return false;
  if (options_.observer != nullptr) {
    options_.observer->KeyTakenOutOfService(options_.uri_of(key.key.selector));
  }
  TellWaiting(key, OutOfService(key.key.selector));
  return true;
}

void CallQueue::KeyFailed(KeyQueue& key, const absl::Status& error, SteadyTime worker_start) {
  const MutexLock lock(mutex_);
  key.health.Believe(error, worker_start);
  TellWaiting(key, ForCaller(error));
}

void CallQueue::TellWaiting(KeyQueue& key, const absl::Status& error) {
  for (const auto& call : KeyQueues::TakeCalls(key, key.calls.size())) call->AnswerError(error);
}

}  // namespace hourglass::hsm
