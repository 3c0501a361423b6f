#include "issuance/timekeeping/kernel_time.h"

#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include <fstream>

namespace hourglass::issuance {

LinuxKernelTime::LinuxKernelTime() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::getline(file, boot_id_);
}

std::chrono::microseconds LinuxKernelTime::Uptime() const {
  timespec time = {};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_nsec / 1000);
}

bool LinuxKernelTime::IsSynchronised() const {
  // The system call itself: the C library makes clock_adjtime(2) of it, which filters of system
  // calls allow to fewer, for that one can be asked to set other clocks.
  timex state = {};
  return syscall(SYS_adjtimex, &state) >= 0 && (state.status & STA_UNSYNC) == 0;
}

}  // namespace hourglass::issuance
