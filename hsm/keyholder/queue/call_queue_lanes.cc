#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "hsm/keyholder/queue/call_queue.h"

namespace hourglass::hsm {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kLookAtPinSource(250);
constexpr int kMostAttempts = 3;
// The subject of a refused PIN that logs in.
constexpr char kWholeCustodian[] = "";

// And is one call of the module, during which some sign nothing else.
bool MayTakeMinutes(Call& call) { return call.request().has_generate(); }

}  // namespace

const Waker& CallQueue::AddLane() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return lanes_.emplace_back().waker;
}

CallQueue::Permit CallQueue::AskToStart(int lane, const PinStamp& stamp, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  lanes_[static_cast<std::size_t>(lane)].wants_start = true;
  const auto refusal = refusals_.find(kWholeCustodian);
  if (refusal != refusals_.end() && options_.pin_logs_in) {
    if (refusal->second.stamp == stamp) return {false, now + kLookAtPinSource};
    refusals_.erase(refusal);
    if (circuit_.PinChanged(now)) Changed();
  }
  if (starting_.has_value()) return {false, SteadyTime::max()};
  if (now < next_start_) return {false, next_start_};
  starting_ = lane;
  lanes_[static_cast<std::size_t>(lane)].wants_start = false;
  return {true, now};
}

void CallQueue::Spawned(int lane) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Lane& mine = lanes_[static_cast<std::size_t>(lane)];
  mine.running = true;
  if (std::exchange(mine.started_before, true)) ++totals_.worker_restarts;
}

void CallQueue::WakeStarters() {
  for (const Lane& lane : lanes_) {
    if (lane.wants_start) lane.waker.Wake();
  }
}

void CallQueue::Greeted(int lane, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (circuit_.WorkerLoggedIn(lane, now)) Changed();
  if (starting_ == lane) starting_.reset();
  WakeStarters();
}

void CallQueue::Ready(int lane, int threads, SteadyTime start, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  lanes_[static_cast<std::size_t>(lane)].threads = threads;
  lanes_[static_cast<std::size_t>(lane)].worker_start = start;
  if (circuit_.WorkerReady(lane, now)) Changed();
  // One that signs alone may have left long ones to this.
  WakeLanes(others_.size());
}

void CallQueue::EndWorker(Lane& lane) {
  totals_.logins += lane.counters.logins();
  for (const auto& [name, count] : lane.counters.errors()) totals_.errors[name] += count;
  lane.counters.Clear();
  lane.running = lane.wants_work = lane.woken = false;
  lane.outstanding = lane.long_calls = lane.threads = 0;
}

void CallQueue::Lost(int lane, absl::string_view error_class, absl::string_view why,
                     bool before_serving, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  EndWorker(lanes_[static_cast<std::size_t>(lane)]);
  if (!error_class.empty()) ++totals_.errors[std::string(error_class)];
  if (starting_ == lane) starting_.reset();
  next_start_ = std::max(next_start_, now + back_off_.AfterFailure(now));
  if (circuit_.WorkerLost(lane, why, now)) Changed();
  if (circuit_.state() == CustodianStatus::State::kFailed) {
    FailEveryone(circuit_.Unavailable(now));
  } else if (before_serving && !circuit_.any_ready()) {
    // Who signs waits his time; the others are to know what is wrong.
    FailOthers(circuit_.Unavailable(now));
  }
  WakeStarters();
}

void CallQueue::Retired(int lane) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Lane& mine = lanes_[static_cast<std::size_t>(lane)];
  EndWorker(mine);
  mine.started_before = false;
  if (starting_ == lane) starting_.reset();
  WakeStarters();
}

void CallQueue::PinRefused(const std::string& subject, const PinStamp& stamp,
                           const absl::Status& error, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!options_.pin_logs_in) {
    refusals_[subject] = {stamp, error};
    return;
  }
  const std::string remedy =
      options_.pin_source.has_value() && options_.pin_source->kind != PinSource::Kind::kEnvironment
          ? absl::StrCat("put the right PIN into ", FormatPinSource(*options_.pin_source),
                         ": it is tried once that changes")
          : "give the right PIN and start anew";
  absl::string_view said = error.message();
  const std::string field = absl::StrCat(FieldOf(error), ": ");
  if (absl::StartsWith(said, field)) said.remove_prefix(field.size());
  const absl::Status failure =
      Error(ErrorReason::kPinRefused, options_.name, absl::StrCat(said, "; ", remedy));
  refusals_[kWholeCustodian] = {stamp, failure};
  if (circuit_.PinRefused(failure, now)) Changed();
  // There is no second opinion to be had any more; what waits for one is for whoever still serves.
  keys_.TrustAllWorkers();
  for (const auto& call : others_) call->worker_since = SteadyTime::min();
  WakeLanes(lanes_.size());
}

bool CallQueue::NoneCanStart() const {
  return options_.pin_logs_in && refusals_.contains(kWholeCustodian);
}

// Whether signatures go on where this lane takes a call that cannot be parted. Where all other
// workers are away they may be so for long.
bool CallQueue::LeavesASigner(int lane) const {
  int free = 0;
  int others_ready = 0;
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    free += lanes_[i].threads - lanes_[i].long_calls;
    if (static_cast<int>(i) != lane && lanes_[i].threads > 0) ++others_ready;
  }
  const int mine = lanes_[static_cast<std::size_t>(lane)].threads;
  return free > 1 || (others_ready == 0 && mine <= 1);
}

CallQueue::Work CallQueue::Take(int lane, const Standing& standing, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Lane& mine = lanes_[static_cast<std::size_t>(lane)];
  Work work;
  mine.outstanding = standing.outstanding;
  // Another lane may have waited for this to become less.
  if (std::exchange(mine.long_calls, standing.long_calls) > standing.long_calls) WakeLanes(1);
  mine.wants_work = mine.woken = false;
  if (mine.worker_start < stale_before_) {
    work.worker_is_stale = true;
    return work;
  }
  const auto other = std::find_if(others_.begin(), others_.end(), [&](const auto& call) {
    return call->worker_since <= mine.worker_start &&
           (standing.lists || !call->request().has_list()) &&
           (standing.administers || !IsAdministrative(call->request())) &&
           (!MayTakeMinutes(*call) || LeavesASigner(lane));
  });
  if (other != others_.end()) {
    // Until there is a thread for it nothing else goes first, or it might wait for ever.
    if (!standing.others && !IsAdministrative((*other)->request())) return work;
    if (MayTakeMinutes(**other)) ++mine.long_calls;
    work.calls.push_back(std::move(*other));
    others_.erase(other);
    if (!IsAdministrative(work.calls[0]->request())) ++mine.outstanding;
    return work;
  }
  work.key = keys_.NextInTurn(mine.worker_start);
  if (work.key == nullptr) {
    mine.wants_work = true;
    return work;
  }
  const auto takers = 1 + std::count_if(lanes_.begin(), lanes_.end(),
                                        [](const Lane& lane) { return lane.wants_work; });
  work.calls = HeldKeys::TakeCalls(
      *work.key,
      BatchSize(work.key->calls.size(), static_cast<int>(takers), work.key->one_signature));
  const auto overdue = OverdueAfter(work.calls.size(), work.key->one_signature);
  work.overdue_at = now + (standing.outstanding == 0 ? 1 : 2) * overdue;
  circuit_.NoteOverdueAt(lane, work.overdue_at);
  mine.outstanding = standing.outstanding + 1;
  return work;
}

void CallQueue::PutBackUntouched(const Work& work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& call : work.calls) {
    if (stopped()) call->AnswerError(Stopped());
  }
  if (stopped()) return;
  keys_.PutBack(work.key, work.calls);
  WakeLanes(work.calls.size());
}

void CallQueue::PutBackAfterLoss(Work work, absl::string_view why, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Work again{work.key, {}};
  for (auto& call : work.calls) {
    if (stopped()) {
      call->AnswerError(Stopped());
    } else if (circuit_.state() == CustodianStatus::State::kFailed) {
      call->AnswerError(circuit_.Unavailable(now));
    } else if (++call->attempts >= kMostAttempts) {
      call->AnswerError(ForCaller(
          Error(ErrorReason::kKeyUnavailable, options_.name,
                absl::StrCat("three workers were lost over this call; the last: ", why))));
    } else {
      again.calls.push_back(std::move(call));
    }
  }
  const std::size_t calls = again.calls.size();
  if (calls == 0) return;
  if (again.key != nullptr) {
    keys_.PutBack(again.key, std::move(again.calls));
  } else {
    others_.insert(others_.begin(), std::make_move_iterator(again.calls.begin()),
                   std::make_move_iterator(again.calls.end()));
  }
  WakeLanes(calls);
}

void CallQueue::Signed(int lane, HeldKey& key, int signatures, nanoseconds one_signature,
                       SteadyTime overdue_at) {
  const std::lock_guard<std::mutex> lock(mutex_);
  circuit_.SetOverdueAt(lane, overdue_at);
  totals_.signatures += static_cast<std::uint64_t>(signatures);
  if (signatures == 0) return;
  key.ailment = absl::OkStatus();
  key.ails_since.reset();
  key.one_signature =
      key.one_signature.count() == 0 ? one_signature : (7 * key.one_signature + one_signature) / 8;
  key.pace = SteadyMean(key.pace, one_signature);
  slowest_pace_ = std::max(slowest_pace_, key.pace);
  totals_.signature_time = std::chrono::ceil<std::chrono::microseconds>(
      SteadyMean(totals_.signature_time, one_signature));
}

void CallQueue::Count(int lane, const keyholder::Counters& counters) {
  const std::lock_guard<std::mutex> lock(mutex_);
  lanes_[static_cast<std::size_t>(lane)].counters = counters;
}

std::vector<std::shared_ptr<HeldKey>> CallQueue::KeysToCheck(SteadyTime worker_start) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::shared_ptr<HeldKey>> keys = keys_.KeysToCheck();
  keys.erase(std::remove_if(keys.begin(), keys.end(),
                            [&](const auto& key) {
                              return key->worker_since > worker_start ||
                                     refusals_.contains(key->key.selector.label);
                            }),
             keys.end());
  return keys;
}

void CallQueue::Diagnose(HeldKey& key, const absl::Status& verdict, SteadyTime worker_start,
                         nanoseconds took) {
  const std::lock_guard<std::mutex> lock(mutex_);
  key.ailment = verdict;
  if (verdict.ok()) {
    key.ails_since.reset();
    if (key.one_signature.count() == 0) key.one_signature = took;
    if (key.mismatched_at.has_value() && worker_start > *key.mismatched_at) {
      key.mismatched_at.reset();
    }
    // The doubt was right: workers as old as that one see what is no more.
    if (worker_start >= key.worker_since) stale_before_ = std::max(stale_before_, key.worker_since);
    return;
  }
  if (!key.ails_since.has_value()) key.ails_since = worker_start;
  key.ailment_confirmed_at = worker_start;
  key.worker_since = SteadyTime::min();
  for (const auto& call : HeldKeys::TakeCalls(key, key.calls.size())) {
    call->AnswerError(ForCaller(verdict));
  }
}

bool CallQueue::Mismatched(HeldKey& key, SteadyTime worker_start, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++totals_.errors["KEY_MISMATCH"];
  if (!key.mismatched_at.has_value()) key.mismatched_at = now;
  if (worker_start <= *key.mismatched_at) return false;
  key.out_of_service = true;
  if (options_.observer != nullptr) {
    options_.observer->KeyTakenOutOfService(options_.uri_of(key.key.selector));
  }
  const absl::Status error =
      Error(ErrorReason::kKeyMismatch, options_.name,
            absl::StrCat("the key ", key.key.selector.label,
                         " gave signatures that do not verify: it is out of service"));
  for (const auto& call : HeldKeys::TakeCalls(key, key.calls.size())) call->AnswerError(error);
  return true;
}

bool CallQueue::IsBelieved(const HeldKey& key, const absl::Status& error) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return !key.ailment.ok() ||
         (NoneCanStart() && WorkerRemedyFor(error) == WorkerRemedy::kSecondOpinion);
}

bool CallQueue::TellIfAiling(HeldKey& key, Call& call, const absl::Status& error, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (NoneCanStart() && WorkerRemedyFor(error) == WorkerRemedy::kSecondOpinion) {
    call.AnswerError(ForCaller(error));
    return true;
  }
  if (key.ailment.ok() && !key.out_of_service) return false;
  if (!key.out_of_service && key.ails_since.has_value() &&
      IsToBeAskedAnew(*key.ails_since, key.ailment_confirmed_at, now)) {
    key.ailment = absl::OkStatus();
    return false;
  }
  key.ailment = error;
  call.AnswerError(ForCaller(error));
  return true;
}

bool CallQueue::WantSecondOpinion(HeldKey& key, SteadyTime worker_start, SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (worker_start < key.worker_since) return false;
  key.worker_since = now;
  return true;
}

bool CallQueue::Doubt(const std::shared_ptr<HeldKey>& key, const std::shared_ptr<Call>& call,
                      SteadyTime worker_start, SteadyTime now) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    keys_.PutBack(key, {call});
  }
  return WantSecondOpinion(*key, worker_start, now);
}

bool CallQueue::DoubtOther(const KeySelector& selector, const std::shared_ptr<Call>& call,
                           SteadyTime now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::shared_ptr<HeldKey> key = keys_.Find(selector);
  if (NoneCanStart()) return false;
  if (key == nullptr || !key->ailment.ok() || call->worker_since != SteadyTime::min()) return false;
  call->worker_since = now;
  others_.push_front(call);
  return true;
}

}  // namespace hourglass::hsm
