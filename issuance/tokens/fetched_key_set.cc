#include "issuance/tokens/fetched_key_set.h"

#include <utility>

namespace hourglass::issuance {

FetchedKeySet::FetchedKeySet(HttpsRequest request, const RefreshPace& pace, const Clock* clock,
                             std::function<Time()> now, KeySetNews news)
    : request_(std::move(request)),
      clock_(clock),
      now_(std::move(now)),
      kept_(request_.url, std::move(news)),
      schedule_(pace) {}

FetchedKeySet::~FetchedKeySet() { stop_ = true; }

void FetchedKeySet::Start() {
  thread_ = std::make_unique<Recurring>(std::chrono::seconds(1), [this] { FetchIfDue(); });
}

bool FetchedKeySet::FetchIfDue() {
  {
    const MutexLock lock(mutex_);
    if (fetching_ || stop_ || !schedule_.IsDue(now_())) return false;
    fetching_ = true;
  }
  const bool good = kept_.Take(FetchHttps(request_, stop_), clock_->Now());
  const MutexLock lock(mutex_);
  fetching_ = false;
  if (good) {
    schedule_.Succeeded(now_());
  } else {
    schedule_.Failed(now_());
  }
  return true;
}

void FetchedKeySet::KeyIsUnknown() {
  const MutexLock lock(mutex_);
  schedule_.KeyIsUnknown();
}

}  // namespace hourglass::issuance
