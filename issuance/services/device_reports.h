// Takes reports of devices, and tells of those that no longer satisfy.
#ifndef HOURGLASS_ISSUANCE_SERVICES_DEVICE_REPORTS_H_
#define HOURGLASS_ISSUANCE_SERVICES_DEVICE_REPORTS_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "issuance/base/clock.h"
#include "issuance/compliance/engine.h"
#include "issuance/store/decision_store.h"
#include "issuance/store/device_store.h"
#include "issuance/store/journal_store.h"

namespace hourglass::issuance {

// Safe to call from several threads.
class DeviceReports {
 public:
  // All must outlive this object. `engine` may be null, where verdicts come from elsewhere: then
  // nothing is told, and a refusal is what tells.
  DeviceReports(DeviceStore* devices, DecisionStore* decisions, JournalStore* journal,
                ComplianceEngine* engine)
      : devices_(devices), decisions_(decisions), journal_(journal), engine_(engine) {}

  // Keeps the report, which came at `now`. Where the device has live certificates and the report
  // brings a reason against one of their users that did not stand before, that is an event of the
  // same transaction, unless it was told (UntoldEvent). What cannot be judged is kept all the same.
  // Errors: those of DeviceStore::PutDevice.
  absl::Status Put(const DeviceRecord& device, Timestamp now);

 private:
  absl::StatusOr<std::optional<UntoldEvent>> EventOf(const DeviceRecord& device, Timestamp now);

  DeviceStore* const devices_;
  DecisionStore* const decisions_;
  JournalStore* const journal_;
  ComplianceEngine* const engine_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_DEVICE_REPORTS_H_
