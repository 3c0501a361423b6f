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
    : executor_(store, roots, tenants, clock, log), thread_([this] { Run(); }) {}

TimedRotation::~TimedRotation() {
  executor_.Stop();
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void TimedRotation::Run() {
  MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    executor_.Pass();
    lock.lock();
    stop_.wait_for(lock, std::chrono::minutes(1),
                   [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
  }
}

}  // namespace hourglass::issuance
