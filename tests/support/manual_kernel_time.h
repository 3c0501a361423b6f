// The uptime of a machine that a test moves.
#ifndef HOURGLASS_TESTS_SUPPORT_MANUAL_KERNEL_TIME_H_
#define HOURGLASS_TESTS_SUPPORT_MANUAL_KERNEL_TIME_H_

#include <atomic>
#include <chrono>
#include <string>

#include "issuance/timekeeping/kernel_time.h"
#include "tests/support/manual_clock.h"

namespace hourglass {

// A machine whose uptime goes with a ManualClock, but for leaps of that. Safe to call from several
// threads.
class ManualKernelTime final : public issuance::KernelTime {
 public:
  // `clock` must outlive this object.
  explicit ManualKernelTime(ManualClock* clock) : clock_(*clock) { Reboot(); }

  std::chrono::microseconds Uptime() const override {
    return clock_.Now().time_since_epoch() - started_.load();
  }
  std::string BootId() const override { return "boot-" + std::to_string(boots_); }
  bool IsSynchronised() const override { return synchronised_; }

  // The clock is set to another time.
  void Leap(std::chrono::microseconds by) {
    started_ = started_.load() + by;
    clock_.Advance(by);
  }
  // The machine is started anew.
  void Reboot() {
    ++boots_;
    started_ = clock_.Now().time_since_epoch() - std::chrono::seconds(20);
    synchronised_ = false;
  }
  void Synchronise(bool synchronised) { synchronised_ = synchronised; }

 private:
  ManualClock& clock_;
  std::atomic<int> boots_ = 0;
  std::atomic<std::chrono::microseconds> started_;
  std::atomic<bool> synchronised_ = false;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_MANUAL_KERNEL_TIME_H_
