// A clock that is also compared with those of others.
#ifndef HOURGLASS_ISSUANCE_TIMEKEEPING_COMPARED_CLOCK_H_
#define HOURGLASS_ISSUANCE_TIMEKEEPING_COMPARED_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/log/event_log.h"
#include "issuance/timekeeping/clock_comparison.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/timekeeping/kernel_time.h"

namespace hourglass::issuance {

// What `guard` believes, as long as it agrees with the clocks of the database and of other replicas
// (clock_comparison.h). Believes nothing before the first comparison. Between two comparisons the
// clock may move against the uptime by what it did not use of `largest`, and no further. Safe to
// call from several threads.
class ComparedClock final : public DoubtfulClock {
 public:
  // All must outlive this object. `largest` is not negative.
  ComparedClock(const DoubtfulClock* guard, const KernelTime* kernel,
                std::chrono::microseconds largest, EventLog log)
      : guard_(*guard), kernel_(*kernel), largest_(largest), log_(std::move(log)) {}

  Timestamp Now() const override { return guard_.Now(); }
  // Errors: CLOCK_UNTRUSTED, of `guard` and of this one.
  absl::StatusOr<Timestamp> TrustedNow() const override;

  // What was found at `wall`, `uptime` after the start of the machine. Says what has changed as
  // `clock_differs` and `clock_agrees`.
  void Learn(const ComparedReplica& own, absl::Span<const ComparedReplica> others, Timestamp wall,
             std::chrono::microseconds uptime);

  // What the last comparison found, with kUndecided resolved to what holds; nullopt before the
  // first.
  std::optional<ClockComparison> LastFound() const;
  // This clock beside the database's, by the last comparison; nullopt before the first.
  std::optional<ComparedReplica> BesideDatabase() const;

  bool Differs() const;
  // How often it began to differ.
  std::uint64_t Differences() const { return differences_.load(std::memory_order_relaxed); }
  std::chrono::microseconds largest() const { return largest_; }

 private:
  void Tell(const ClockComparison& found) const;

  const DoubtfulClock& guard_;
  const KernelTime& kernel_;
  const std::chrono::microseconds largest_;
  const EventLog log_;

  mutable Mutex mutex_;
  std::optional<ClockComparison> found_ ABSL_GUARDED_BY(mutex_);
  std::optional<ComparedReplica> own_ ABSL_GUARDED_BY(mutex_);

  // What TrustedNow compares with: the wall clock less the uptime. Empty, the least above the most,
  // while nothing is believed. One may be newer than the other for an instant.
  std::atomic<std::chrono::microseconds> least_offset_ = std::chrono::microseconds::max();
  std::atomic<std::chrono::microseconds> most_offset_ = std::chrono::microseconds::min();
  std::atomic<std::uint64_t> differences_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TIMEKEEPING_COMPARED_CLOCK_H_
