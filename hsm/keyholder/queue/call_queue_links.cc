#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/keyholder/protocol/protocol.h"
#include "hsm/keyholder/queue/call_queue.h"

namespace hourglass::hsm {
namespace {

constexpr int kMostAttempts = 3;

std::string RemedyFor(const std::optional<PinSource>& source) {
  if (!source.has_value() || source->kind == PinSource::Kind::kEnvironment) {
    return "give the right PIN and start anew";
  }
  return absl::StrCat("put the right PIN into ", FormatPinSource(*source),
                      ": it is tried once that changes");
}

}  // namespace

const Waker& CallQueue::AddLink() {
  const MutexLock lock(mutex_);
  return links_.emplace_back().waker;
}

StartGate::Permit CallQueue::AskToStart(int link, const PinStamp& stamp, SteadyTime now) {
  const MutexLock lock(mutex_);
  if (start_gate_.AcceptPin(stamp) && circuit_.PinChanged(now)) Changed();
  return start_gate_.Ask(link, now);
}

void CallQueue::Spawned(int link) {
  const MutexLock lock(mutex_);
  Link& mine = links_[static_cast<std::size_t>(link)];
  mine.running = true;
  if (std::exchange(mine.started_before, true)) ++totals_.worker_restarts;
}

void CallQueue::WakeStarters() {
  for (const int link : start_gate_.waiting()) links_[static_cast<std::size_t>(link)].waker.Wake();
}

void CallQueue::Greeted(int link, SteadyTime now) {
  const MutexLock lock(mutex_);
  if (circuit_.WorkerLoggedIn(link, now)) Changed();
  start_gate_.Leave(link);
  WakeStarters();
}

void CallQueue::Ready(int link, int threads, SteadyTime start, SteadyTime now) {
  const MutexLock lock(mutex_);
  links_[static_cast<std::size_t>(link)].threads = threads;
  links_[static_cast<std::size_t>(link)].worker_start = start;
  if (circuit_.WorkerReady(link, now)) Changed();
  // One that signs alone may have left long ones to this.
  WakeLinks(calls_.others());
}

void CallQueue::EndWorker(Link& link) {
  totals_.logins += link.counters.logins();
  for (const auto& [name, count] : link.counters.errors()) totals_.errors[name] += count;
  link.counters.Clear();
  link.running = link.wants_work = link.woken = false;
  link.outstanding = link.long_calls = link.threads = 0;
}

void CallQueue::Lost(int link, absl::string_view error_class, absl::string_view why,
                     bool before_serving, SteadyTime now) {
  const MutexLock lock(mutex_);
  EndWorker(links_[static_cast<std::size_t>(link)]);
  if (!error_class.empty()) ++totals_.errors[std::string(error_class)];
  start_gate_.LeaveAfterLoss(link, now);
  if (circuit_.WorkerLost(link, why, now)) Changed();
  if (circuit_.state() == CustodianStatus::State::kFailed) {
    FailEveryone(circuit_.Unavailable(now));
  } else if (before_serving && !circuit_.any_ready()) {
    // Who signs waits his time; the others are to know what is wrong.
    FailOthers(circuit_.Unavailable(now));
  }
  WakeStarters();
}

void CallQueue::Retired(int link) {
  const MutexLock lock(mutex_);
  Link& mine = links_[static_cast<std::size_t>(link)];
  EndWorker(mine);
  mine.started_before = false;
  start_gate_.Leave(link);
  WakeStarters();
}

void CallQueue::LoginRefused(const PinStamp& stamp, const absl::Status& error, SteadyTime now) {
  const MutexLock lock(mutex_);
  RefuseLogin(stamp, error, now);
}

void CallQueue::RefuseLogin(const PinStamp& stamp, const absl::Status& error, SteadyTime now) {
  if (!options_.pin_logs_in) return start_gate_.RefusePin("", stamp, error);
  absl::string_view said = error.message();
  const std::string field = absl::StrCat(FieldOf(error), ": ");
  if (absl::StartsWith(said, field)) said.remove_prefix(field.size());
  const absl::Status failure = Error(ErrorReason::kPinRefused, options_.name,
                                     absl::StrCat(said, "; ", RemedyFor(options_.pin_source)));
  start_gate_.RefusePin("", stamp, failure);
  if (circuit_.PinRefused(failure, now)) Changed();
  // There is no second opinion to be had any more; what waits for one is for whoever still serves.
  calls_.TrustAllWorkers();
  WakeLinks(links_.size());
}

CustodianCondition CallQueue::Condition() const {
  return {options_.pin_logs_in, start_gate_.none_can_start()};
}

// Whether signatures go on where this link takes a call that cannot be parted. Where all other
// workers are away they may be so for long.
bool CallQueue::LeavesASigner(int link) const {
  int free = 0;
  int others_ready = 0;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    free += links_[i].threads - links_[i].long_calls;
    if (static_cast<int>(i) != link && links_[i].threads > 0) ++others_ready;
  }
  const int mine = links_[static_cast<std::size_t>(link)].threads;
  return free > 1 || (others_ready == 0 && mine <= 1);
}

CallQueue::Given CallQueue::Take(int link, const Standing& standing, SteadyTime now) {
  const MutexLock lock(mutex_);
  Link& mine = links_[static_cast<std::size_t>(link)];
  mine.outstanding = standing.outstanding;
  // Another link may have waited for this to become less.
  if (std::exchange(mine.long_calls, standing.long_calls) > standing.long_calls) WakeLinks(1);
  mine.wants_work = mine.woken = false;
  if (mine.worker_start < stale_before_) return {Work(), /*worker_is_stale=*/true};
  const auto takers = 1 + std::count_if(links_.begin(), links_.end(),
                                        [](const Link& other) { return other.wants_work; });
  std::optional<Work> work =
      calls_.Take({mine.worker_start, standing.outstanding, standing.others, standing.lists,
                   standing.administers, LeavesASigner(link), static_cast<int>(takers)},
                  now);
  if (!work.has_value()) {
    mine.wants_work = true;
    return {};
  }
  if (work->key != nullptr) {
    circuit_.NoteOverdueAt(link, work->overdue_at);
    ++mine.outstanding;
  } else if (!work->calls.empty()) {
    Call& call = *work->calls[0];
    if (MayTakeMinutes(call)) ++mine.long_calls;
    if (!IsAdministrative(call.request())) ++mine.outstanding;
  }
  return {*std::move(work)};
}

void CallQueue::PutBackUntouched(Work work) {
  const MutexLock lock(mutex_);
  if (stopped()) {
    for (const auto& call : work.calls) call->AnswerError(Stopped());
    return;
  }
  const std::size_t calls = work.calls.size();
  calls_.PutBack(std::move(work));
  WakeLinks(calls);
}

void CallQueue::PutBackAfterLoss(Work work, absl::string_view why, SteadyTime now) {
  const MutexLock lock(mutex_);
  PutBackLocked(std::move(work), why, now);
}

void CallQueue::PutBackLocked(Work work, absl::string_view why, SteadyTime now) {
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
  calls_.PutBack(std::move(again));
  WakeLinks(calls);
}

}  // namespace hourglass::hsm
