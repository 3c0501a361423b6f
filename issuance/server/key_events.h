// What happens to keys and their custodians, as events of the log.
#ifndef HOURGLASS_ISSUANCE_SERVER_KEY_EVENTS_H_
#define HOURGLASS_ISSUANCE_SERVER_KEY_EVENTS_H_

#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// Writes key_custodian_healthy, key_custodian_recovering, key_custodian_failed, keyholder_ended,
// keyholder_said and key_out_of_service.
class KeyEvents final : public hsm::KeyObserver {
 public:
  // `log` must outlive this object.
  explicit KeyEvents(const EventLog* log) : log_(log) {}

  void CustodianChanged(absl::string_view custodian, const hsm::CustodianStatus& status) override;
  void WorkerEnded(absl::string_view custodian, int pid, absl::string_view how) override;
  void WorkerSaid(absl::string_view custodian, absl::string_view line) override;
  void KeyTakenOutOfService(absl::string_view key_uri) override;

 private:
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_KEY_EVENTS_H_
