// How much more is asked than can be served, and when to come back.
#ifndef HOURGLASS_ISSUANCE_ADMISSION_OVERLOAD_GAUGE_H_
#define HOURGLASS_ISSUANCE_ADMISSION_OVERLOAD_GAUGE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace hourglass::issuance {

// Not safe to call from several threads. Times are of one steady clock and do not go back.
class OverloadGauge {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit OverloadGauge(Time now) : second_began_(now) {}

  void Served(std::size_t tasks, Time now);

  // One more was refused while `waiting` others wait. Returns when it should come back: when all
  // that wait, and all that were refused lately, would have been served at the present rate; at
  // least 100 ms and at most 30 s, and then spread evenly between half of that and half as much
  // again, so that those who were refused together do not come back together.
  std::chrono::milliseconds Refused(std::size_t waiting, Time now);

  // How many were refused since this last said so, at most once a second: for the log. Nothing
  // where none were.
  std::optional<std::uint64_t> Unreported(Time now);

 private:
  void Advance(Time now);

  Time second_began_;
  // In this second, and as of one of those before it.
  std::uint64_t served_ = 0;
  std::uint64_t refused_ = 0;
  double served_before_ = 0;
  double refused_before_ = 0;
  std::uint32_t spread_ = 0;
  std::uint64_t unreported_ = 0;
  std::optional<Time> reported_at_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ADMISSION_OVERLOAD_GAUGE_H_
