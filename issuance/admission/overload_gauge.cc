#include "issuance/admission/overload_gauge.h"

#include <algorithm>
#include <utility>

namespace hourglass::issuance {
namespace {

constexpr std::chrono::seconds kSecond(1);
constexpr std::chrono::milliseconds kShortestDelay(100);
constexpr std::chrono::milliseconds kLongestDelay(30'000);

// 2^32 divided by the golden ratio: multiples of it, modulo 2^32, are spread evenly however many
// are taken.
constexpr std::uint32_t kSpreadStep = 2654435769;

}  // namespace

void OverloadGauge::Advance(Time now) {
  const auto passed = now - second_began_;
  if (passed < kSecond) return;
  const double seconds = std::chrono::duration<double>(passed).count();
  served_before_ = static_cast<double>(std::exchange(served_, 0)) / seconds;
  refused_before_ = static_cast<double>(std::exchange(refused_, 0)) / seconds;
  second_began_ = now;
}

void OverloadGauge::Served(std::size_t tasks, Time now) {
  Advance(now);
  served_ += tasks;
}

std::chrono::milliseconds OverloadGauge::Refused(std::size_t waiting, Time now) {
  Advance(now);
  ++refused_;
  ++unreported_;
  const double a_second = std::max({served_before_, static_cast<double>(served_), 1.0});
  const double to_serve =
      static_cast<double>(waiting) + std::max(refused_before_, static_cast<double>(refused_));
  const double delay =
      std::clamp(1000 * to_serve / a_second, static_cast<double>(kShortestDelay.count()),
                 static_cast<double>(kLongestDelay.count()));
  spread_ += kSpreadStep;
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(delay * (0.5 + static_cast<double>(spread_) / 4294967296.0)));
}

std::optional<std::uint64_t> OverloadGauge::Unreported(Time now) {
  if (unreported_ == 0 || (reported_at_.has_value() && now - *reported_at_ < kSecond)) {
    return std::nullopt;
  }
  reported_at_ = now;
  return std::exchange(unreported_, 0);
}

}  // namespace hourglass::issuance
