#include "issuance/services/tenant_service.h"

#include <optional>
#include <string>
#include <vector>

#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/services/record_mapper.h"

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

grpc::ServerUnaryReactor* TenantService::CreateTenant(const CallContext& context,
                                                      const v1::CreateTenantRequest* request,
                                                      v1::Tenant* response) {
  return calls_->Run(
      context, "CreateTenant",
      [=, this](const Caller& caller, std::vector<v1::DenyReason>&) -> absl::Status {
        if (!caller.all_tenants) {
          return Error(ErrorReason::kTenantNotPermitted, "tenant_id",
                       "only a caller bound to every tenant may create one");
        }
        RETURN_IF_ERROR(Authorize(caller, {Role::kAdministrator}, request->tenant_id()));
        TenantRecord tenant;
        tenant.tenant_id = request->tenant_id();
        tenant.display_name =
            request->display_name().empty() ? request->tenant_id() : request->display_name();
        RETURN_IF_ERROR(CheckDisplayName(tenant.display_name));
        tenant.created_at = clock_->Now();
        RETURN_IF_ERROR(store_->CreateTenant(tenant));
        *response = ToProto(tenant, {});
        log_->Info("tenant_created", {{"tenant", tenant.tenant_id}, {"caller", caller.name}});
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* TenantService::ListTenants(const CallContext& context,
                                                     const v1::ListTenantsRequest* request,
                                                     v1::ListTenantsResponse* response) {
  return calls_->Run(
      context, "ListTenants",
      [=, this](const Caller& caller, std::vector<v1::DenyReason>&) -> absl::Status {
        static_cast<void>(request);
        if (!caller.Has(Role::kAdministrator) && !caller.Has(Role::kAuditor)) {
          return Error(ErrorReason::kRoleNotPermitted, "",
                       "listing tenants takes the role administrator or auditor");
        }
        ASSIGN_OR_RETURN(const std::vector<TenantRecord> tenants, store_->ListTenants());
        for (const TenantRecord& tenant : tenants) {
          if (!Authorize(caller, {Role::kAdministrator, Role::kAuditor}, tenant.tenant_id).ok())
            continue;
          ASSIGN_OR_RETURN(const std::vector<RootRecord> roots,
                           store_->ListRoots(tenant.tenant_id));
          *response->add_tenants() = ToProto(tenant, roots);
        }
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* TenantService::GetTenant(const CallContext& context,
                                                   const v1::GetTenantRequest* request,
                                                   v1::Tenant* response) {
  return calls_->Run(
      context, "GetTenant",
      [=, this](const Caller& caller, std::vector<v1::DenyReason>&) -> absl::Status {
        RETURN_IF_ERROR(
            Authorize(caller, {Role::kAdministrator, Role::kAuditor}, request->tenant_id()));
        ASSIGN_OR_RETURN(const TenantRecord tenant, store_->GetTenant(request->tenant_id()));
        ASSIGN_OR_RETURN(const std::vector<RootRecord> roots,
                         store_->ListRoots(request->tenant_id()));
        *response = ToProto(tenant, roots);
        return absl::OkStatus();
      });
}

}  // namespace hourglass::issuance
