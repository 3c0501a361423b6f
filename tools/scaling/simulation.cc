#include "tools/scaling/simulation.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace hourglass::scaling {

Time Microseconds(double count) { return Time(std::llround(count * 1000)); }

double Seconds(Time time) { return std::chrono::duration<double>(time).count(); }

bool Simulation::IsLater(const Event& a, const Event& b) {
  return std::tie(a.at, a.number) > std::tie(b.at, b.number);
}

void Simulation::After(Time delay, std::function<void()> event) {
  events_.push_back({now_ + delay, next_number_++, std::move(event)});
  std::push_heap(events_.begin(), events_.end(), IsLater);
}

void Simulation::RunUntil(Time end) {
  while (!events_.empty() && events_.front().at <= end) {
    std::pop_heap(events_.begin(), events_.end(), IsLater);
    const Event event = std::move(events_.back());
    events_.pop_back();
    now_ = event.at;
    event.what();
  }
  now_ = end;
}

}  // namespace hourglass::scaling
