// Which tenants a compliance service elsewhere is not asked about, for people.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_OPEN_CIRCUITS_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_OPEN_CIRCUITS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"

namespace hourglass::issuance {

struct OpenCircuit {
  std::string tenant_id;
  Timestamp since;
  // What was wrong with the answer that opened it; a stranger's words, of any octets.
  std::string failure;
};

// Safe to call from several threads. What opens and what closes a circuit may come in any order:
// they are told outside of the lock under which they happened.
class OpenCircuits {
 public:
  void Opened(OpenCircuit circuit);
  void Closed(absl::string_view tenant_id);
  // Those that are open, by tenant.
  std::vector<OpenCircuit> List() const;

 private:
  struct Entry {
    int open = 0;  // how often more opened than closed; below 0 where the closing came first
    OpenCircuit last;
  };

  mutable Mutex mutex_;
  std::map<std::string, Entry, std::less<>> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_OPEN_CIRCUITS_H_
