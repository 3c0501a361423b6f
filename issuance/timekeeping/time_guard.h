// The clock that decides, and doubts.
#ifndef HOURGLASS_ISSUANCE_TIMEKEEPING_TIME_GUARD_H_
#define HOURGLASS_ISSUANCE_TIMEKEEPING_TIME_GUARD_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/log/event_log.h"
#include "issuance/store/time_records.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/timekeeping/kernel_time.h"
#include "issuance/timekeeping/time_rules.h"

namespace hourglass::issuance {

// What the guard thinks of the clock at a moment.
struct ClockReport {
  ClockReading reading;
  ClockDoubt doubt = ClockDoubt::kNone;
  // The newest time on record.
  Timestamp newest;
  // How far the clock is from where it should be: from the reference where it leapt, from `newest`
  // else. Negative: it is late.
  std::chrono::microseconds distance{0};
};

// The wall clock, beside the uptime and the newest time that the store knows (promise 10). Where
// time_rules.h doubts it, TrustedNow refuses at once, and Now goes on. It is believed again when it
// is back, or when an administrator accepts it, in this process or another one on the same store.
// Safe to call from several threads.
class TimeGuard final : public DoubtfulClock {
 public:
  // Reads what the store knows and looks for the first time; does not watch yet. All must outlive
  // this object. Errors: JOURNAL_UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<TimeGuard>> Create(TimeRecords* records, const Clock* wall,
                                                           const KernelTime* kernel, EventLog log);
  // Writes the newest time down.
  ~TimeGuard() override;

  // Looks every second from now on, by a thread of its own.
  void Watch();

  Timestamp Now() const override { return wall_.Now(); }
  // Two readings of clocks and a comparison: for every request. Errors: CLOCK_UNTRUSTED.
  absl::StatusOr<Timestamp> TrustedNow() const override;

  // Compares, says what has changed as `clock_leapt`, `clock_behind`, `clock_far_ahead` or
  // `clock_trusted`, and writes the newest time down where that is a minute ago or more.
  void Look();

  // An administrator says that the clock is right, whose own shows `theirs`: what was recorded
  // under a later time proves nothing from now on. Durable when it returns OK. Errors:
  // FIELD_INVALID with field `time` where that is more than five minutes from the clock;
  // JOURNAL_UNAVAILABLE.
  absl::Status Accept(Timestamp theirs, absl::string_view caller);

  ClockReport Report() const;

  // For metrics. `doubt` is not kNone; counted where it began.
  bool IsTrusted() const { return TrustedNow().ok(); }
  std::uint64_t Doubts(ClockDoubt doubt) const {
    return doubts_[static_cast<std::size_t>(doubt)].load(std::memory_order_relaxed);
  }

 private:
  TimeGuard(TimeRecords* records, const Clock* wall, const KernelTime* kernel, EventLog log);
  absl::Status Recall();
  ClockReading Read() const;
  ClockReport ReportOf(const ClockReading& reading) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Tell(const ClockReport& report) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Publish(bool synchronised) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Learn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Keep(std::chrono::microseconds uptime) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Adopt(const TimeMark& kept) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Run();

  TimeRecords& records_;
  const Clock& wall_;
  const KernelTime& kernel_;
  const EventLog log_;

  mutable Mutex mutex_;
  TimeMark mark_ ABSL_GUARDED_BY(mutex_);    // as the store has it, or had
  KnownTime known_ ABSL_GUARDED_BY(mutex_);  // what is newer than that
  ClockDoubt doubt_ ABSL_GUARDED_BY(mutex_) = ClockDoubt::kNone;
  std::chrono::microseconds looked_at_ ABSL_GUARDED_BY(mutex_){0};  // uptime
  std::chrono::microseconds kept_at_ ABSL_GUARDED_BY(mutex_){0};    // uptime
  bool kept_before_ ABSL_GUARDED_BY(mutex_) = false;
  bool keeping_fails_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  ConditionVariable stop_;

  // What TrustedNow compares with: the window of the last look. One may be newer than the others
  // for an instant; then a reading is refused that would have been believed.
  std::atomic<std::chrono::microseconds> least_offset_;
  std::atomic<std::chrono::microseconds> most_offset_;
  std::atomic<Timestamp> least_wall_;
  std::array<std::atomic<std::uint64_t>, 4> doubts_ = {};  // by ClockDoubt

  std::thread thread_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TIMEKEEPING_TIME_GUARD_H_
