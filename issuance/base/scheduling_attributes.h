// How the kernel schedules a thread.
#ifndef HOURGLASS_ISSUANCE_BASE_SCHEDULING_ATTRIBUTES_H_
#define HOURGLASS_ISSUANCE_BASE_SCHEDULING_ATTRIBUTES_H_

#include <cstdint>

namespace hourglass::issuance {

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

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_SCHEDULING_ATTRIBUTES_H_
