#include "issuance/compliance/open_circuits.h"

#include <utility>

namespace hourglass::issuance {

void OpenCircuits::Opened(OpenCircuit circuit) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.try_emplace(circuit.tenant_id).first;
  entry->second.last = std::move(circuit);
  if (++entry->second.open == 0) entries_.erase(entry);
}

void OpenCircuits::Closed(absl::string_view tenant_id) {
  const MutexLock lock(mutex_);
  const auto entry = entries_.try_emplace(std::string(tenant_id)).first;
  if (--entry->second.open == 0) entries_.erase(entry);
}

std::vector<OpenCircuit> OpenCircuits::List() const {
  const MutexLock lock(mutex_);
  std::vector<OpenCircuit> open;
  for (const auto& [tenant_id, entry] : entries_) {
    if (entry.open > 0) open.push_back(entry.last);
  }
  return open;
}

}  // namespace hourglass::issuance
