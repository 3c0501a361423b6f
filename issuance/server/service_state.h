// Part of the running service: its store, and the time that the store's records bear out.
#ifndef HOURGLASS_ISSUANCE_SERVER_SERVICE_STATE_H_
#define HOURGLASS_ISSUANCE_SERVER_SERVICE_STATE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/config/config.h"
#include "issuance/log/event_log.h"
#include "issuance/store/store.h"
#include "issuance/store/time_records.h"
#include "issuance/timekeeping/kernel_time.h"
#include "issuance/timekeeping/time_guard.h"

namespace hourglass::issuance {

// The store with its upkeep, and the watched clock of the whole service. Safe to call from several
// threads.
class ServiceState {
 public:
  // Opens the store of the data directory, logs tenants that may speak for any user as
  // `upn_domains_missing`, and has the clock watched, which may be doubted already. `wall` and
  // `kernel` must outlive this object. Errors: JOURNAL_UNAVAILABLE.
  static absl::StatusOr<std::unique_ptr<ServiceState>> Start(const Config& config,
                                                             const Clock* wall,
                                                             const KernelTime* kernel,
                                                             const EventLog& log);
  // Writes the newest time down, then closes the store.
  ~ServiceState() = default;
  ServiceState(const ServiceState&) = delete;
  ServiceState& operator=(const ServiceState&) = delete;

  Store* store() const { return store_.get(); }
  TimeRecords* time_records() const { return records_.get(); }
  // What time it is for all parts of the service.
  TimeGuard* clock() const { return clock_.get(); }

 private:
  ServiceState() = default;

  std::unique_ptr<Store> store_;
  std::unique_ptr<TimeRecords> records_;
  std::unique_ptr<TimeGuard> clock_;  // uses the records
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_SERVICE_STATE_H_
