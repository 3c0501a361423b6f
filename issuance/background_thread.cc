#include "issuance/background_thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace hourglass::issuance {
namespace {

// Of sched_setattr(2), for which Debian 12's C library has no declaration and the kernel's header
// one that cannot be included beside <sched.h>.
struct SchedulingAttributes {
  std::uint32_t size;
  std::uint32_t policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime;  // nanoseconds
  std::uint64_t deadline;
  std::uint64_t period;
};

constexpr int kNiceness = 10;
// The longest that Linux takes.
constexpr std::uint64_t kSliceNanoseconds = 100'000'000;

// Linux lets a thread of whatever niceness end its slice, one to three ms, before one that wakes
// gets the processor, unless that one's slice is the shorter (from 6.12 on; before, slices are
// nobody's own, and this is not kept). With a long slice a thread is not the longer at it: how much
// it gets is told by its niceness.
void TakeLongSlice() {
  SchedulingAttributes attributes = {};
  attributes.size = sizeof(attributes);
  attributes.policy = SCHED_OTHER;
  attributes.nice = kNiceness;
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
