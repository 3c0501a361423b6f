#include "issuance/store/tenant_changes.h"

#include <mutex>
#include <utility>

namespace hourglass::issuance {

struct TenantChanges::Place {
  explicit Place(Listener told) : listener(std::move(told)) {}

  const Listener listener;
  // Held while the listener is called, and to end that. Recursive: a listener may end itself.
  std::recursive_mutex mutex;
  bool ended = false;  // guarded by mutex
};

TenantChanges::Subscription::Subscription(std::shared_ptr<Place> place)
    : place_(std::move(place)) {}

TenantChanges::Subscription::~Subscription() {
  if (place_ == nullptr) return;
  const std::lock_guard lock(place_->mutex);
  place_->ended = true;
}

TenantChanges::Subscription TenantChanges::Subscribe(Listener listener) {
  const auto place = std::make_shared<Place>(std::move(listener));
  const MutexLock lock(mutex_);
  std::erase_if(places_, [](const std::weak_ptr<Place>& one) { return one.expired(); });
  places_.push_back(place);
  return Subscription(place);
}

void TenantChanges::Publish(absl::string_view tenant_id) const {
  // What is told must outlive the telling, though its subscription ends meanwhile.
  std::vector<std::shared_ptr<Place>> told;
  {
    const MutexLock lock(mutex_);
    for (const std::weak_ptr<Place>& one : places_) {
      if (std::shared_ptr<Place> place = one.lock()) told.push_back(std::move(place));
    }
  }
  for (const std::shared_ptr<Place>& place : told) {
    const std::lock_guard lock(place->mutex);
    if (!place->ended) place->listener(tenant_id);
  }
}

}  // namespace hourglass::issuance
