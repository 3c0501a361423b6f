// A circuit for each tenant: one tenant's questions that get no answer keep no other's from being
// asked.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_TENANT_CIRCUITS_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_TENANT_CIRCUITS_H_

#include <atomic>
#include <cstddef>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/compliance/circuit_breaker.h"

namespace hourglass::issuance {

// Safe to call from several threads. While no tenant is in trouble nobody takes the lock, and
// nothing is kept of a tenant that never was. What is kept is one small record for each other.
class TenantCircuits {
 public:
  explicit TenantCircuits(const CircuitOptions& options) : options_(options) {}

  // As CircuitBreaker's, of the tenant's circuit.
  CircuitBreaker::Admission Admit(absl::string_view tenant_id, CircuitBreaker::Time now);
  CircuitBreaker::Change Settle(absl::string_view tenant_id,
                                const CircuitBreaker::Admission& admission,
                                CircuitBreaker::Outcome outcome, CircuitBreaker::Time now);

 private:
  const CircuitOptions options_;
  // Circuits that are not as those of tenants that never failed: written with mutex_ held, read
  // without. Who reads too early asks once more, or counts one answer less.
  std::atomic<std::size_t> troubled_ = 0;
  Mutex mutex_;
  absl::flat_hash_map<std::string, CircuitBreaker> circuits_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_TENANT_CIRCUITS_H_
