#include "issuance/log/line_limits.h"

#include <utility>

namespace hourglass::issuance {

LineLimits::Counted& LineLimits::CountedOf(absl::string_view kind) {
  const auto found = kinds_.find(kind);
  if (found != kinds_.end()) return found->second;
  return kinds_[kinds_.size() < kMaxKinds ? std::string(kind) : std::string()];
}

LineLimits::Decision LineLimits::Count(absl::string_view kind, std::uint64_t limit) {
  Counted& counted = CountedOf(kind);
  ++counted.lines;
  if (counted.lines > limit && (counted.lines - limit) % kOneIn != 0) {
    ++counted.left_out;
    return {false, 0};
  }
  return {true, std::exchange(counted.left_out, 0)};
}

void LineLimits::TakeBack(absl::string_view kind, const Decision& decision) {
  CountedOf(kind).left_out += decision.left_out + 1;
}

std::vector<LineLimits::LeftOut> LineLimits::NextPeriod() {
  std::vector<LeftOut> untold;
  for (const auto& [kind, counted] : kinds_) {
    if (counted.left_out > 0) untold.push_back({kind, counted.left_out});
  }
  kinds_.clear();
  return untold;
}

}  // namespace hourglass::issuance
