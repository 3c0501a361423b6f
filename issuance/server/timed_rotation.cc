#include "issuance/server/timed_rotation.h"

#include <algorithm>
#include <chrono>

namespace hourglass::issuance {
namespace {

bool IsOn(const IssuingConfig& issuing) { return issuing.rotation.mode != RotationMode::kOff; }

}  // namespace

bool AnyRotationPolicy(const Config& config) {
  return IsOn(config.issuing) ||
         std::any_of(config.tenants.begin(), config.tenants.end(),
                     [](const auto& tenant) { return IsOn(tenant.second); });
}

TimedRotation::TimedRotation(Store* store, RootAdministration* roots, const Tenants* tenants,
                             const Clock* clock, const EventLog* log)
    : executor_(store, roots, tenants, clock, log),
      passing_(std::chrono::minutes(1), [this] { executor_.Pass(); }) {}

}  // namespace hourglass::issuance
