// What a tenant's configuration says of the rotation of its roots.
#ifndef HOURGLASS_ISSUANCE_CONFIG_ROTATION_POLICY_H_
#define HOURGLASS_ISSUANCE_CONFIG_ROTATION_POLICY_H_

#include <chrono>

#include "hsm/key/signing_key.h"

namespace hourglass::issuance {

enum class RotationMode {
  kOff,        // administrators rotate
  kDryRun,     // the service says in its log what it would do
  kAutomatic,  // the service stages, promotes and retires
};

struct RotationPolicy {
  RotationMode mode = RotationMode::kOff;
  // Before the end of the primary. More than `promote_before_expiry`.
  std::chrono::seconds stage_before_expiry = std::chrono::hours(60 * 24);
  // Likewise. At least twice the lifetime of the tenant's certificates.
  std::chrono::seconds promote_before_expiry = std::chrono::hours(30 * 24);
  // Of the roots that it makes. More than `stage_before_expiry`.
  std::chrono::seconds root_duration = std::chrono::hours(2 * 365 * 24);
  hsm::KeyType key_type = hsm::KeyType::kEcP256;
  // Promotions wait for no acknowledgement, and for no relying party to be there, whoever promotes
  // and whatever the mode.
  bool waive_acknowledgements = false;

  bool operator==(const RotationPolicy&) const = default;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_CONFIG_ROTATION_POLICY_H_
