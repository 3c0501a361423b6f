#include "issuance/timekeeping/time_guard.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::seconds kLookEvery(1);
constexpr std::chrono::minutes kKeepEvery(1);

std::string InWords(Timestamp time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromChrono(time), absl::UTCTimeZone());
}

std::string Seconds(std::chrono::microseconds length) {
  return absl::StrCat(std::chrono::duration_cast<std::chrono::seconds>(length).count());
}

absl::Status Untrusted() {
  return Error(ErrorReason::kClockUntrusted, "",
               "the service's clock leapt, or is not where the records say it should be; nothing "
               "is decided by it until it is right, or an administrator accepts it");
}

}  // namespace

TimeGuard::TimeGuard(TimeRecords* records, const Clock* wall, const KernelTime* kernel,
                     EventLog log)
    : records_(*records), wall_(*wall), kernel_(*kernel), log_(std::move(log)) {}

absl::StatusOr<std::unique_ptr<TimeGuard>> TimeGuard::Create(TimeRecords* records,
                                                             const Clock* wall,
                                                             const KernelTime* kernel,
                                                             EventLog log) {
  std::unique_ptr<TimeGuard> guard(new TimeGuard(records, wall, kernel, std::move(log)));
  RETURN_IF_ERROR(guard->Recall());
  guard->Look();
  return guard;
}

TimeGuard::~TimeGuard() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  if (thread_.joinable()) thread_.join();
  const MutexLock lock(mutex_);
  const ClockReading now = Read();
  if (Judge(known_, now) == ClockDoubt::kNone && known_.reference.has_value()) {
    known_ = Follow(known_, now, std::chrono::microseconds(0));
    static_cast<void>(Keep(now.uptime));
  }
}

// What the store knows of the time. The newest of all counts; a store that knows nothing has no
// reason to doubt.
absl::Status TimeGuard::Recall() {
  const MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const std::optional<TimeMark> mark, records_.GetMark());
  ASSIGN_OR_RETURN(const std::optional<Timestamp> intent, records_.NewestIntent());
  ASSIGN_OR_RETURN(const std::optional<Timestamp> report, records_.NewestReport());
  const ClockReading now = Read();
  looked_at_ = now.uptime;
  std::optional<Timestamp> known;
  if (mark.has_value()) {
    mark_ = *mark;
    known = mark->newest_at;
    const std::string boot = kernel_.BootId();
    // A machine that was restored to an earlier moment has the same start and a smaller uptime.
    if (!boot.empty() && boot == mark->boot_id) {
      known_.reference = mark->reference;
      known_.settled = mark->settled;
    }
  }
  for (const std::optional<Timestamp>& record : {intent, report}) {
    if (!record.has_value() || *record <= mark_.ignored_up_to) continue;
    known = std::max(known.value_or(*record), *record);
  }
  known_.newest = known.value_or(now.wall);
  return absl::OkStatus();
}

ClockReading TimeGuard::Read() const {
  return {wall_.Now(), kernel_.Uptime(), kernel_.IsSynchronised()};
}

absl::StatusOr<Timestamp> TimeGuard::TrustedNow() const {
  const TimeWindow window = {least_offset_.load(std::memory_order_relaxed),
                             most_offset_.load(std::memory_order_relaxed),
                             least_wall_.load(std::memory_order_relaxed)};
  const Timestamp now = wall_.Now();
  if (!window.Holds(now, kernel_.Uptime())) return Untrusted();
  return now;
}

void TimeGuard::Publish(bool synchronised) {
  const TimeWindow window = WindowFor(known_, synchronised);
  least_offset_.store(window.least_offset, std::memory_order_relaxed);
  most_offset_.store(window.most_offset, std::memory_order_relaxed);
  least_wall_.store(window.least_wall, std::memory_order_relaxed);
}

ClockReport TimeGuard::ReportOf(const ClockReading& reading) const {
  ClockReport report{reading, Judge(known_, reading), known_.newest, reading.wall - known_.newest};
  if (report.doubt == ClockDoubt::kLeapt) report.distance = reading.offset() - *known_.reference;
  return report;
}

ClockReport TimeGuard::Report() const {
  const MutexLock lock(mutex_);
  return ReportOf(Read());
}

void TimeGuard::Tell(const ClockReport& report) {
  if (report.doubt == doubt_) return;
  doubt_ = report.doubt;
  const std::string clock = InWords(report.reading.wall);
  const std::string newest = InWords(report.newest);
  if (doubt_ == ClockDoubt::kNone) {
    log_.Info("clock_trusted", {{"clock", clock}, {"newest_known", newest}});
    return;
  }
  doubts_[static_cast<std::size_t>(doubt_)].fetch_add(1, std::memory_order_relaxed);
  log_.Failure(absl::StrCat("clock_", ClockDoubtName(doubt_)),
               {{"clock", clock},
                {"newest_known", newest},
                {"seconds", Seconds(report.distance)},
                {"message",
                 "nothing is issued, judged by age, retired or dropped by this clock: set it "
                 "right, or, if it is, say so with hourglass clock accept"}});
}

void TimeGuard::Look() {
  const MutexLock lock(mutex_);
  const ClockReading now = Read();
  const KnownTime before = known_;
  known_ = Settle(known_, now);
  if (before.reference.has_value() && known_.reference != before.reference) {
    log_.Info("clock_set", {{"clock", InWords(now.wall)},
                            {"seconds", Seconds(*known_.reference - *before.reference)}});
  }
  const ClockReport report = ReportOf(now);
  if (report.doubt == ClockDoubt::kNone) {
    known_ = Follow(known_, now, std::max(now.uptime - looked_at_, std::chrono::microseconds(0)));
  }
  looked_at_ = now.uptime;
  Publish(now.synchronised);
  Tell(report);
  if (report.doubt != ClockDoubt::kNone) return Learn();
  const bool due = !kept_before_ || now.uptime - kept_at_ >= kKeepEvery;
  if (!due) return;
  const absl::Status kept = Keep(now.uptime);
  if (!kept.ok() && !keeping_fails_) {
    log_.Failure("clock_not_kept", {{"message", kept.message()}});
  }
  keeping_fails_ = !kept.ok();
}

// Whether an administrator has accepted the clock in another process meanwhile.
void TimeGuard::Learn() {
  const absl::StatusOr<std::optional<TimeMark>> mark = records_.GetMark();
  if (!mark.ok() || !mark->has_value() || (*mark)->acceptances <= mark_.acceptances) return;
  Adopt(**mark);
  Tell(ReportOf(Read()));
}

absl::Status TimeGuard::Keep(std::chrono::microseconds uptime) {
  kept_before_ = true;
  kept_at_ = uptime;
  TimeMark mark = mark_;
  mark.newest_at = known_.newest;
  mark.boot_id = kernel_.BootId();
  mark.reference = *known_.reference;
  mark.settled = known_.settled;
  ASSIGN_OR_RETURN(const TimeMark kept, records_.KeepMark(mark));
  Adopt(kept);
  return absl::OkStatus();
}

// What another process has seen, or was told by an administrator.
void TimeGuard::Adopt(const TimeMark& kept) {
  const bool accepted = kept.acceptances > mark_.acceptances;
  mark_ = kept;
  known_.newest = accepted ? kept.newest_at : std::max(known_.newest, kept.newest_at);
  if (!accepted) return;
  known_.settled = kept.settled;
  if (kept.boot_id == kernel_.BootId()) {
    known_.reference = kept.reference;
  } else {
    known_.reference.reset();
  }
  Publish(kernel_.IsSynchronised());
}

absl::Status TimeGuard::Accept(Timestamp theirs, absl::string_view caller) {
  const MutexLock lock(mutex_);
  const ClockReading now = Read();
  if (std::chrono::abs(now.wall - theirs) > kAcceptTolerance) {
    return Error(ErrorReason::kFieldInvalid, "time",
                 absl::StrCat("the service's clock shows ", InWords(now.wall), ", and yours ",
                              InWords(theirs), ": set right the one that is wrong"));
  }
  ASSIGN_OR_RETURN(const std::optional<Timestamp> intent, records_.NewestIntent());
  ASSIGN_OR_RETURN(const std::optional<Timestamp> device, records_.NewestReport());
  const ClockReport report = ReportOf(now);
  TimeMark mark = mark_;
  for (const Timestamp later :
       {intent.value_or(now.wall), device.value_or(now.wall), known_.newest}) {
    if (later > now.wall) mark.ignored_up_to = std::max(mark.ignored_up_to, later);
  }
  mark.newest_at = now.wall;
  mark.boot_id = kernel_.BootId();
  mark.reference = now.offset();
  mark.settled = known_.settled || now.synchronised;
  ++mark.acceptances;
  ASSIGN_OR_RETURN(const TimeMark kept, records_.KeepMark(mark));
  kept_at_ = now.uptime;
  Adopt(kept);
  log_.Warning("clock_accepted", {{"caller", caller},
                                  {"clock", InWords(now.wall)},
                                  {"doubt", ClockDoubtName(report.doubt)},
                                  {"seconds", Seconds(report.distance)}});
  Tell(ReportOf(now));
  return absl::OkStatus();
}

void TimeGuard::Watch() {
  thread_ = std::thread([this] { Run(); });
}

void TimeGuard::Run() {
  MutexLock lock(mutex_);
  while (!stop_.wait_for(lock, kLookEvery,
                         [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; })) {
    lock.unlock();
    Look();
    lock.lock();
  }
}

}  // namespace hourglass::issuance
