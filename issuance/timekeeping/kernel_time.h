// What the kernel knows of time beside the wall clock.
#ifndef HOURGLASS_ISSUANCE_TIMEKEEPING_KERNEL_TIME_H_
#define HOURGLASS_ISSUANCE_TIMEKEEPING_KERNEL_TIME_H_

#include <chrono>
#include <string>

namespace hourglass::issuance {

// Safe to call from several threads.
class KernelTime {
 public:
  virtual ~KernelTime() = default;
  // Since the machine was started, the time that it slept included. Nobody can set it, and it runs
  // on across restarts of the service.
  virtual std::chrono::microseconds Uptime() const = 0;
  // Differs for every start of the machine. Empty where it cannot be told: equal to none.
  virtual std::string BootId() const = 0;
  // Whether a time service keeps the wall clock right, as far as the kernel was told. No proof: an
  // unauthenticated time server may lie.
  virtual bool IsSynchronised() const = 0;
};

// Linux: CLOCK_BOOTTIME (clock_gettime(2)), /proc/sys/kernel/random/boot_id (random(4)), and
// adjtimex(2) without STA_UNSYNC, which only looks; where that is forbidden, not synchronised.
class LinuxKernelTime final : public KernelTime {
 public:
  LinuxKernelTime();
  std::chrono::microseconds Uptime() const override;
  std::string BootId() const override { return boot_id_; }
  bool IsSynchronised() const override;

 private:
  std::string boot_id_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_TIMEKEEPING_KERNEL_TIME_H_
