#include "issuance/services/journal_service.h"

#include "absl/strings/str_cat.h"
#include "ca/authority.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/decisions/live_certificates.h"
#include "issuance/services/record_mapper.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

absl::Status CheckSerialNumber(const std::string& serial_number) {
  if (serial_number.empty()) {
    return Error(ErrorReason::kFieldMissing, "serial_number", "is required");
  }
  if (serial_number.size() != ca::kSerialSize) {
    return Error(ErrorReason::kFieldInvalid, "serial_number",
                 absl::StrCat("must have ", ca::kSerialSize, " octets"));
  }
  return absl::OkStatus();
}

absl::StatusOr<JournalFilter> FilterOf(const v1::ListCertificatesRequest& request) {
  RETURN_IF_ERROR(CheckUpnText(request.user_upn(), "user_upn"));
  if (!request.device_id().empty()) {
    RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
  }
  JournalFilter filter;
  filter.user_upn = request.user_upn();
  filter.device_id = request.device_id();
  filter.serial_number = request.serial_number();
  if (!filter.serial_number.empty()) RETURN_IF_ERROR(CheckSerialNumber(filter.serial_number));
  if (request.has_intended_from()) {
    ASSIGN_OR_RETURN(filter.intended_from, FromProto(request.intended_from(), "intended_from"));
  }
  if (request.has_intended_before()) {
    ASSIGN_OR_RETURN(filter.intended_before,
                     FromProto(request.intended_before(), "intended_before"));
  }
  return filter;
}

}  // namespace

absl::Status JournalService::ListCertificates(const Caller&,
                                              const v1::ListCertificatesRequest& request,
                                              v1::ListCertificatesResponse* response) {
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(JournalFilter filter, FilterOf(request));
  if (request.live()) {
    ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
    NarrowToLive(filter, now);
  }
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(
      const Page<JournalRecord> page,
      journal_->ListJournal(request.tenant_id(), filter, page_size, request.page_token()));
  for (const JournalRecord& record : page.records) *response->add_entries() = ToProto(record);
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

absl::Status JournalService::GetCertificate(const Caller&, const v1::GetCertificateRequest& request,
                                            v1::JournalEntry* response) {
  RETURN_IF_ERROR(CheckSerialNumber(request.serial_number()));
  ASSIGN_OR_RETURN(const JournalRecord record,
                   journal_->FindBySerialNumber(request.tenant_id(), request.serial_number()));
  *response = ToProto(record);
  return absl::OkStatus();
}

absl::Status JournalService::ListAdministrativeActions(
    const Caller&, const v1::ListAdministrativeActionsRequest& request,
    v1::ListAdministrativeActionsResponse* response) {
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(
      const Page<AdministrativeAction> page,
      actions_->ListAdministrativeActions(request.tenant_id(), page_size, request.page_token()));
  for (const AdministrativeAction& action : page.records) {
    *response->add_actions() = ToProto(action);
  }
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
