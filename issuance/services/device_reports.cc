#include "issuance/services/device_reports.h"

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "hourglass/v1/decisions.pb.h"
#include "hsm/base/status_macros.h"
#include "issuance/decisions/live_certificates.h"

namespace hourglass::issuance {
namespace {

// A device has one user, or a few.
constexpr std::size_t kMostCertificates = 100;

v1::EvaluateRequest QuestionOf(const Intent& intent) {
  v1::EvaluateRequest question;
  question.set_tenant_id(intent.tenant_id);
  question.set_user_id(intent.user_id);
  question.set_user_upn(intent.user_upn);
  question.set_device_id(intent.device_id);
  return question;
}

}  // namespace

absl::StatusOr<std::optional<UntoldEvent>> DeviceReports::EventOf(const DeviceRecord& device,
                                                                  Timestamp now) {
  if (engine_ == nullptr) return std::nullopt;
  ASSIGN_OR_RETURN(const std::vector<JournalRecord> live,
                   LiveCertificatesOf(*journal_, device.tenant_id, device.device_id, "", now,
                                      kMostCertificates));
  std::set<std::pair<absl::string_view, absl::string_view>> users;
  for (const JournalRecord& record : live) {
    const Intent& intent = record.intent;
    if (!users.insert({intent.user_id, intent.user_upn}).second) continue;
    ASSIGN_OR_RETURN(const std::vector<v1::DenyReason> found,
                     engine_->NewReasons(QuestionOf(intent), device, now));
    if (found.empty()) continue;
    v1::DenyReasons reasons;
    reasons.mutable_reasons()->Assign(found.begin(), found.end());
    UntoldEvent untold;
    untold.event.tenant_id = device.tenant_id;
    untold.event.kind = DecisionEvent::Kind::kDeviceNotCompliant;
    untold.event.at = now;
    untold.event.device_id = device.device_id;
    untold.event.reasons = reasons.SerializeAsString();
    untold.newest_intended_at = live.front().intent.intended_at;
    return untold;
  }
  return std::nullopt;
}

absl::Status DeviceReports::Put(const DeviceRecord& device, Timestamp now) {
  const absl::StatusOr<std::optional<UntoldEvent>> event = EventOf(device, now);
  // The next verdict reads the report, whoever is told of it.
  if (!event.ok() || !event->has_value()) return devices_->PutDevice(device);
  return decisions_->PutDeviceTelling(device, **event);
}

}  // namespace hourglass::issuance
