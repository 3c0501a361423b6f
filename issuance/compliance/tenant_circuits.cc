#include "issuance/compliance/tenant_circuits.h"

namespace hourglass::issuance {

CircuitBreaker::Admission TenantCircuits::Admit(absl::string_view tenant_id,
                                                CircuitBreaker::Time now) {
  const CircuitBreaker::Admission ask = {CircuitBreaker::Admission::Kind::kAsk, now, {}};
  if (troubled_.load(std::memory_order_relaxed) == 0) return ask;
  const MutexLock lock(mutex_);
  const auto circuit = circuits_.find(tenant_id);
  return circuit == circuits_.end() ? ask : circuit->second.Admit(now);
}

CircuitBreaker::Change TenantCircuits::Settle(absl::string_view tenant_id,
                                              const CircuitBreaker::Admission& admission,
                                              CircuitBreaker::Outcome outcome,
                                              CircuitBreaker::Time now) {
  using Outcome = CircuitBreaker::Outcome;
  const bool failed = outcome == Outcome::kFailed;
  if (!failed && troubled_.load(std::memory_order_relaxed) == 0) {
    return CircuitBreaker::Change::kNone;
  }
  const MutexLock lock(mutex_);
  auto circuit = circuits_.find(tenant_id);
  if (circuit == circuits_.end()) {
    if (!failed) return CircuitBreaker::Change::kNone;
    circuit = circuits_.try_emplace(std::string(tenant_id), options_).first;
  }
  CircuitBreaker& breaker = circuit->second;
  const bool was_troubled = !breaker.IsUntroubled();
  const CircuitBreaker::Change change = breaker.Settle(admission, outcome, now);
  const bool is_troubled = !breaker.IsUntroubled();
  if (is_troubled && !was_troubled) troubled_.fetch_add(1, std::memory_order_relaxed);
  if (!is_troubled && was_troubled) troubled_.fetch_sub(1, std::memory_order_relaxed);
  return change;
}

}  // namespace hourglass::issuance
