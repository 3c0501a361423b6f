#include "issuance/decisions/live_certificates.h"

#include <algorithm>
#include <chrono>

#include "ca/certificate/profile.h"

namespace hourglass::issuance {
namespace {

// An intent is dated when its certificate is made. The hour more is for who corrects a clock.
constexpr std::chrono::seconds kOldestLive = ca::kMaxLeafLifetime + std::chrono::hours(1);

}  // namespace

void NarrowToLive(JournalFilter& filter, Timestamp now) {
  filter.live_at = now;
  filter.intended_from =
      std::max(filter.intended_from.value_or(now - kOldestLive), now - kOldestLive);
}

}  // namespace hourglass::issuance
