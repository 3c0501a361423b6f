#include "issuance/rotation/tenant_turns.h"

namespace hourglass::issuance {

TenantTurns::Turn::~Turn() {
  if (turns_ == nullptr) return;
  place_->second->mutex.unlock();
  const MutexLock lock(turns_->mutex_);
  if (--place_->second->users == 0) turns_->places_.erase(place_);
}

TenantTurns::Turn TenantTurns::Take(absl::string_view tenant_id) {
  Places::iterator place;
  {
    const MutexLock lock(mutex_);
    place = places_.try_emplace(std::string(tenant_id)).first;
    if (place->second == nullptr) place->second = std::make_unique<Place>();
    ++place->second->users;
  }
  place->second->mutex.lock();
  return Turn(this, place);
}

}  // namespace hourglass::issuance
