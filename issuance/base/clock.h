// What time it is, in the one form that this service keeps.
#ifndef HOURGLASS_ISSUANCE_BASE_CLOCK_H_
#define HOURGLASS_ISSUANCE_BASE_CLOCK_H_

#include <chrono>

namespace hourglass::issuance {

// Microseconds since 1970-01-01 UTC, what the journal is dated in.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

// The one source of time. Safe to call from several threads.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;
};

// The machine's clock.
class SystemClock final : public Clock {
 public:
  Timestamp Now() const override {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_CLOCK_H_
