// A discrete-event simulation: a clock that leaps from event to event.
#ifndef HOURGLASS_TOOLS_SCALING_SIMULATION_H_
#define HOURGLASS_TOOLS_SCALING_SIMULATION_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

namespace hourglass::scaling {

// Simulated, since the beginning. Whole nanoseconds, so that the last bit of a logarithm, which
// differs between processors, decides nothing.
using Time = std::chrono::nanoseconds;

// Rounded to nanoseconds.
Time Microseconds(double count);
double Seconds(Time time);

// Not safe to call from several threads.
class Simulation {
 public:
  Time now() const { return now_; }

  // Calls `event` when `delay`, which is not negative, has passed. Events of the same instant are
  // called in the order in which they were handed in.
  void After(Time delay, std::function<void()> event);

  // Calls all events up to `end`, those of `end` included. It is `end` then.
  void RunUntil(Time end);

 private:
  struct Event {
    Time at;
    std::uint64_t number;
    std::function<void()> what;
  };
  static bool IsLater(const Event& a, const Event& b);

  Time now_{0};
  std::uint64_t next_number_ = 0;
  std::vector<Event> events_;  // a heap, the next first
};

}  // namespace hourglass::scaling

#endif  // HOURGLASS_TOOLS_SCALING_SIMULATION_H_
