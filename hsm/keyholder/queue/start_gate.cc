#include "hsm/keyholder/queue/start_gate.h"

#include <algorithm>
#include <chrono>

namespace hourglass::hsm {
namespace {

constexpr std::chrono::milliseconds kLookAtPinSource(250);
// The subject of a refused PIN that logs in.
constexpr char kWholeCustodian[] = "";

}  // namespace

StartGate::Permit StartGate::Ask(int worker, SteadyTime now) {
  waiting_.insert(worker);
  if (none_can_start()) return {false, now + kLookAtPinSource};
  if (starting_.has_value()) return {false, SteadyTime::max()};
  if (now < next_start_) return {false, next_start_};
  starting_ = worker;
  waiting_.erase(worker);
  return {true, now};
}

void StartGate::Leave(int worker) {
  if (starting_ == worker) starting_.reset();
}

void StartGate::LeaveAfterLoss(int worker, SteadyTime now) {
  Leave(worker);
  next_start_ = std::max<SteadyTime>(next_start_, now + back_off_.AfterFailure(now));
}

void StartGate::RefusePin(const std::string& subject, const PinStamp& stamp, absl::Status error) {
  refusals_[pin_logs_in_ ? kWholeCustodian : subject] = {stamp, std::move(error)};
}

bool StartGate::AcceptPin(const PinStamp& stamp) {
  if (!none_can_start() || refusals_.at(kWholeCustodian).stamp == stamp) return false;
  refusals_.erase(kWholeCustodian);
  return true;
}

bool StartGate::none_can_start() const {
  return pin_logs_in_ && refusals_.contains(kWholeCustodian);
}

absl::Status StartGate::CheckPin(const std::string& subject) {
  if (pin_logs_in_ || refusals_.empty()) return absl::OkStatus();
  const auto refusal = refusals_.find(subject);
  if (refusal == refusals_.end()) return absl::OkStatus();
  if (refusal->second.stamp == StampOf(pin_source_)) return refusal->second.error;
  refusals_.erase(refusal);
  return absl::OkStatus();
}

}  // namespace hourglass::hsm
