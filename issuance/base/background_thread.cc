#include "issuance/base/background_thread.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

#include "issuance/base/scheduling_attributes.h"

namespace hourglass::issuance {
namespace {

constexpr int kNiceness = 10;
// The longest that Linux takes.
constexpr std::uint64_t kSliceNanoseconds = 100'000'000;

// Linux lets a thread of whatever niceness end its slice, one to three ms, before one that wakes
// gets the processor, unless that one's slice is the shorter (from 6.12 on; before, slices are
// nobody's own, and this is not kept). With a long slice a thread is not the longer at it: how much
// it gets is told by its niceness.
void TakeLongSlice() {
  SchedulingAttributes attributes = {};
  // Policy and niceness stay what they are.
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  attributes.runtime = kSliceNanoseconds;
  static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace

void RunInBackground() {
  // Of this thread alone, which is Linux' way (setpriority(2), "C library/kernel differences").
  static_cast<void>(setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNiceness));
  TakeLongSlice();
}

}  // namespace hourglass::issuance
