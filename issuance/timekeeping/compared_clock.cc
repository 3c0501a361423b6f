#include "issuance/timekeeping/compared_clock.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using Verdict = ClockComparison::Verdict;

// With tenths, for people.
std::string Seconds(microseconds length) {
  return absl::StrCat(
      static_cast<double>(std::chrono::duration_cast<std::chrono::milliseconds>(length).count()) /
      1000);
}

std::string NameOf(const std::string& other) { return other.empty() ? "database" : other; }

absl::Status Differing() {
  return Error(ErrorReason::kClockUntrusted, "",
               "this replica's clock differs from the database's or another replica's; nothing is "
               "decided by it until they agree");
}

}  // namespace

absl::StatusOr<Timestamp> ComparedClock::TrustedNow() const {
  ASSIGN_OR_RETURN(const Timestamp now, guard_.TrustedNow());
  const microseconds offset = now.time_since_epoch() - kernel_.Uptime();
  if (offset < least_offset_.load(std::memory_order_relaxed) ||
      offset > most_offset_.load(std::memory_order_relaxed)) {
    return Differing();
  }
  return now;
}

void ComparedClock::Learn(const ComparedReplica& own, absl::Span<const ComparedReplica> others,
                          Timestamp wall, microseconds uptime) {
  const MutexLock lock(mutex_);
  ClockComparison found = CompareClocks(own, others, largest_);
  const bool differed = found_.has_value() && found_->verdict == Verdict::kDiffers;
  if (found.verdict == Verdict::kUndecided) {
    // Whoever has never been found to agree has to be.
    found.verdict = found_.has_value() ? found_->verdict : Verdict::kDiffers;
  }
  const bool differs = found.verdict == Verdict::kDiffers;
  if (differs) {
    least_offset_.store(microseconds::max(), std::memory_order_relaxed);
    most_offset_.store(microseconds::min(), std::memory_order_relaxed);
  } else {
    const microseconds database = wall.time_since_epoch() - uptime - own.ahead;
    const microseconds most = std::max(largest_, std::chrono::abs(own.ahead)) + own.uncertainty;
    least_offset_.store(database - most, std::memory_order_relaxed);
    most_offset_.store(database + most, std::memory_order_relaxed);
  }
  found_ = found;
  own_ = own;
  if (differs == differed) return;
  if (differs) differences_.fetch_add(1, std::memory_order_relaxed);
  Tell(found);
}

void ComparedClock::Tell(const ClockComparison& found) const {
  if (found.verdict != Verdict::kDiffers) {
    log_.Info("clock_agrees", {{"with", NameOf(found.other)}, {"seconds", Seconds(found.ahead)}});
    return;
  }
  log_.Failure(
      "clock_differs",
      {{"from", NameOf(found.other)},
       {"seconds", Seconds(found.ahead)},
       {"largest", Seconds(largest_)},
       {"message",
        found.all_differ
            ? "this replica serves no more. All replicas differ from the database to the same "
              "side: set the clock of the database's server right"
            : "this replica serves no more: set its clock right, and it serves again by itself"}});
}

std::optional<ClockComparison> ComparedClock::LastFound() const {
  const MutexLock lock(mutex_);
  return found_;
}

std::optional<ComparedReplica> ComparedClock::BesideDatabase() const {
  const MutexLock lock(mutex_);
  return own_;
}

bool ComparedClock::Differs() const {
  const MutexLock lock(mutex_);
  return !found_.has_value() || found_->verdict == Verdict::kDiffers;
}

}  // namespace hourglass::issuance
