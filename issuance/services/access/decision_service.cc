#include "issuance/services/access/decision_service.h"

#include <chrono>
#include <utility>

#include "hsm/base/status_macros.h"
#include "issuance/services/access/decision_mapper.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxVerdictIdSize = 64;

absl::StatusOr<RefusalFilter> FilterOf(const v1::ListRefusalsRequest& request) {
  if (!request.verdict_id().empty()) {
    RETURN_IF_ERROR(CheckId(request.verdict_id(), kMaxVerdictIdSize, "verdict_id"));
  }
  if (!request.device_id().empty()) {
    RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
  }
  RETURN_IF_ERROR(CheckUpnText(request.user_upn(), "user_upn"));
  return RefusalFilter{request.verdict_id(), request.device_id(), request.user_upn()};
}

}  // namespace

void DecisionService::StartReview(ComplianceEngine* engine, EventLog log) {
  review_.emplace(HolderReview::Means{sources_.tenants, sources_.journal, sources_.decisions,
                                      engine, sources_.clock},
                  std::move(log));
  reviewing_.emplace(std::chrono::seconds(1), [this] { review_->Step(watches_.Tenants()); });
}

absl::Status DecisionService::ListRefusals(const Caller&, const v1::ListRefusalsRequest& request,
                                           v1::ListRefusalsResponse* response) {
  RETURN_IF_ERROR(sources_.tenants->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const RefusalFilter filter, FilterOf(request));
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const Page<RefusalRecord> page,
                   sources_.decisions->ListRefusals(request.tenant_id(), filter, page_size,
                                                    request.page_token()));
  for (const RefusalRecord& refusal : page.records) *response->add_refusals() = ToProto(refusal);
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
