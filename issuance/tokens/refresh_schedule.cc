#include "issuance/tokens/refresh_schedule.h"

#include <algorithm>

namespace hourglass::issuance {

void RefreshSchedule::Succeeded(Time now) {
  failures_ = 0;
  succeeded_ = now;
  next_ = now + pace_.interval;
}

void RefreshSchedule::Failed(Time now) {
  next_ = now + std::min(pace_.last_retry, pace_.first_retry * (1 << std::min(failures_, 10)));
  ++failures_;
}

void RefreshSchedule::KeyIsUnknown() {
  if (failures_ > 0 || succeeded_ == Time::min()) return;
  next_ = std::min(next_, succeeded_ + pace_.after_unknown_key);
}

}  // namespace hourglass::issuance
