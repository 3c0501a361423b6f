#include "issuance/decisions/refusal_keeper.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/decisions/live_certificates.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

DecisionEvent EventOf(const RefusalRecord& refusal) {
  DecisionEvent event;
  event.tenant_id = refusal.tenant_id;
  event.kind = DecisionEvent::Kind::kAccessRefused;
  event.at = refusal.at;
  event.device_id = refusal.device_id;
  event.user_id = refusal.user_id;
  event.user_upn = refusal.user_upn;
  event.verdict_id = refusal.verdict_id;
  event.reasons = refusal.reasons;
  return event;
}

}  // namespace

RefusalKeeper::RefusalKeeper(DecisionStore* decisions, JournalStore* journal, const Clock* clock,
                             EventLog log, std::atomic<std::uint64_t>* dropped,
                             const RefusalLimits& limits)
    : decisions_(*decisions),
      journal_(*journal),
      clock_(*clock),
      log_(std::move(log)),
      dropped_(*dropped),
      limits_(limits),
      thread_([this] { Run(); }) {}

RefusalKeeper::~RefusalKeeper() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool RefusalKeeper::IsWithinLimits(const RefusalRecord& refusal) {
  if (waiting_.size() >= limits_.most_waiting) return false;
  const auto minute = std::chrono::floor<std::chrono::minutes>(clock_.Now().time_since_epoch());
  if (minute != minute_) counts_.clear();
  minute_ = minute;
  // Neither id has a NUL.
  int& of_device =
      counts_[absl::StrCat(refusal.tenant_id, absl::string_view("\0", 1), refusal.device_id)];
  if (of_device >= limits_.most_of_device) return false;
  ++of_device;
  int& of_tenant = counts_[refusal.tenant_id];
  if (of_tenant >= limits_.most_of_tenant) return false;
  ++of_tenant;
  return true;
}

void RefusalKeeper::Note(RefusalRecord refusal) {
  {
    const MutexLock lock(mutex_);
    if (!IsWithinLimits(refusal)) {
      ++dropped_;
      return;
    }
    waiting_.push_back(std::move(refusal));
  }
  changed_.notify_all();
}

void RefusalKeeper::Flush() {
  MutexLock lock(mutex_);
  // What is being written now may be of before; what waits is written in the round after it.
  const std::uint64_t enough = rounds_ + 2;
  ++flushing_;
  changed_.notify_all();
  changed_.wait(lock, [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return rounds_ >= enough; });
  --flushing_;
}

void RefusalKeeper::Run() {
  MutexLock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stopping_ || flushing_ > 0 || !waiting_.empty();
    });
    // Those that come meanwhile share the transaction.
    changed_.wait_for(lock, limits_.pause, [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return stopping_ || flushing_ > 0 || waiting_.size() >= limits_.most_at_once;
    });
    const bool is_last = stopping_;
    const auto count = static_cast<std::ptrdiff_t>(
        std::min(waiting_.size(), is_last ? waiting_.size() : limits_.most_at_once));
    std::vector<RefusalRecord> refusals(waiting_.begin(), waiting_.begin() + count);
    lock.unlock();
    const bool is_done = refusals.empty() || Keep(refusals);
    lock.lock();
    if (is_done) waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    ++rounds_;
    changed_.notify_all();
    if (is_last) return;
    // A store that refuses is not asked without a pause.
    if (!is_done) {
      changed_.wait_for(lock, limits_.pause,
                        [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
    }
  }
}

bool RefusalKeeper::Keep(const std::vector<RefusalRecord>& refusals) {
  const absl::StatusOr<std::vector<UntoldEvent>> events = EventsOf(refusals);
  const absl::Status kept =
      events.ok() ? decisions_.KeepRefusals(refusals, *events) : events.status();
  if (!kept.ok() && !is_failing_) {
    log_.Failure("refusals_not_kept", {{"message", kept.message()}});
  }
  is_failing_ = !kept.ok();
  // What else is wrong with them does not pass.
  return kept.ok() || ReasonOf(kept) != ErrorReason::kJournalUnavailable;
}

absl::StatusOr<std::vector<UntoldEvent>> RefusalKeeper::EventsOf(
    const std::vector<RefusalRecord>& refusals) {
  std::vector<UntoldEvent> events;
  // What is live is not told by a clock that leapt; the refusals are kept.
  const absl::StatusOr<Timestamp> now = DecidingTime(clock_);
  if (!now.ok()) return events;
  std::set<std::tuple<absl::string_view, absl::string_view, absl::string_view>> seen;
  for (const RefusalRecord& refusal : refusals) {
    if (!seen.insert({refusal.tenant_id, refusal.device_id, refusal.user_upn}).second) continue;
    ASSIGN_OR_RETURN(const std::vector<JournalRecord> newest,
                     LiveCertificatesOf(journal_, refusal.tenant_id, refusal.device_id,
                                        refusal.user_upn, *now, 1));
    if (newest.empty()) continue;
    events.push_back({EventOf(refusal), newest.front().intent.intended_at});
  }
  // Whoever writes events of several tenants takes these in one order, so that nobody waits for
  // each other.
  std::stable_sort(events.begin(), events.end(), [](const UntoldEvent& a, const UntoldEvent& b) {
    return a.event.tenant_id < b.event.tenant_id;
  });
  return events;
}

}  // namespace hourglass::issuance
