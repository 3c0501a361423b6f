#include "ca/certificate/profile.h"

#include "hsm/base/error.h"

namespace hourglass::ca {

absl::StatusOr<LeafProfile> LeafProfile::Create(const LeafProfileOptions& options) {
  if (options.backdate < std::chrono::seconds(0) || options.backdate > kMaxBackdate) {
    return Error(ErrorReason::kConfigurationInvalid, "backdate", "must be 0 seconds to 1 hour");
  }
  if (options.lifetime < kMinLeafLifetime || options.lifetime > kMaxLeafLifetime) {
    return Error(ErrorReason::kConfigurationInvalid, "lifetime", "must be 5 minutes to 24 hours");
  }
  return LeafProfile(options);
}

}  // namespace hourglass::ca
