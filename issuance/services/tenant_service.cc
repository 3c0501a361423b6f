#include "issuance/services/tenant_service.h"

#include <optional>
#include <string>
#include <vector>

#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/identity/methods.h"
#include "issuance/services/record_mapper.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxDisplayNameSize = 64;

absl::Status CheckDisplayName(const std::string& name) {
  if (name.size() > kMaxDisplayNameSize) {
    return Error(ErrorReason::kFieldInvalid, "display_name", "has more than 64 octets");
  }
  const std::optional<std::string> fault = ca::FaultInDisplayName(name);
  if (!fault.has_value()) return absl::OkStatus();
  return Error(ErrorReason::kFieldInvalid, "display_name", *fault);
}

}  // namespace

absl::Status TenantService::CreateTenant(const Caller& caller,
                                         const v1::CreateTenantRequest& request,
                                         v1::Tenant* response) {
  RETURN_IF_ERROR(CheckTenantId(request.tenant_id()));
  TenantRecord tenant;
  tenant.tenant_id = request.tenant_id();
  tenant.display_name =
      request.display_name().empty() ? request.tenant_id() : request.display_name();
  RETURN_IF_ERROR(CheckDisplayName(tenant.display_name));
  tenant.created_at = clock_->Now();
  RETURN_IF_ERROR(store_->CreateTenant(tenant));
  *response = ToProto(tenant, {});
  log_->Info("tenant_created", {{"tenant", tenant.tenant_id}, {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status TenantService::ListTenants(const Caller& caller, const v1::ListTenantsRequest&,
                                        v1::ListTenantsResponse* response) {
  ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, store_->ListTenants());
  for (const TenantRecord& tenant : tenants) {
    if (!CheckBound(caller, tenant.tenant_id).ok()) continue;
    ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store_->ListRoots(tenant.tenant_id));
    *response->add_tenants() = ToProto(tenant, roots);
  }
  return absl::OkStatus();
}

absl::Status TenantService::GetTenant(const Caller&, const v1::GetTenantRequest& request,
                                      v1::Tenant* response) {
  ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(request.tenant_id()));
  ASSIGN_OR_RETURN(const std::vector<RootRecord> roots, store_->ListRoots(request.tenant_id()));
  *response = ToProto(tenant, roots);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
