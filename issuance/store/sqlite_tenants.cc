#include "issuance/store/sqlite_tenants.h"

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite_values.h"

namespace hourglass::issuance::sqlite {
namespace {

TenantRecord TakeTenant(Rows& rows) {
  TenantRecord tenant;
  tenant.tenant_id = rows.TakeOctets();
  tenant.display_name = rows.TakeOctets();
  tenant.created_at = TakeTimestamp(rows);
  tenant.epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  tenant.revision = static_cast<std::uint64_t>(rows.TakeInteger());
  return tenant;
}

}  // namespace

absl::Status TenantUnknown() {
  return Error(ErrorReason::kTenantUnknown, "tenant_id", "there is no such tenant");
}

absl::Status PrimaryChanged() {
  return Error(ErrorReason::kPrimaryChanged, "",
               "the tenant's primary root changed since this request was prepared");
}

absl::Status CreateTenant(Connection& connection, const TenantRecord& tenant) {
  ASSIGN_OR_RETURN(
      const std::int64_t created,
      connection.Change(
          "INSERT INTO tenants (tenant_id, display_name, created_at, epoch, "
          "revision, last_generation) VALUES (?, ?, ?, 0, 0, 0) "
          "ON CONFLICT DO NOTHING",
          {Text{tenant.tenant_id}, Text{tenant.display_name}, ValueOf(tenant.created_at)}));
  if (created == 1) return absl::OkStatus();
  return Error(ErrorReason::kTenantExists, "tenant_id", "a tenant of this id exists");
}

absl::StatusOr<TenantRecord> GetTenant(Connection& connection, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, display_name, created_at, epoch, revision "
                                    "FROM tenants WHERE tenant_id = ?",
                                    {Text{tenant_id}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return TenantUnknown();
  return TakeTenant(rows);
}

absl::StatusOr<std::vector<TenantRecord>> ListTenants(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, display_name, created_at, epoch, revision "
                                    "FROM tenants ORDER BY tenant_id"));
  std::vector<TenantRecord> tenants;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return tenants;
    tenants.push_back(TakeTenant(rows));
  }
}

absl::StatusOr<int> ReserveGeneration(Connection& connection, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(const std::int64_t reserved,
                   connection.Change("UPDATE tenants SET last_generation = last_generation + 1 "
                                     "WHERE tenant_id = ?",
                                     {Text{tenant_id}}));
  if (reserved == 0) return TenantUnknown();
  ASSIGN_OR_RETURN(
      const std::int64_t generation,
      connection.QueryInteger("SELECT last_generation FROM tenants WHERE tenant_id = ?",
                              {Text{tenant_id}}));
  return static_cast<int>(generation);
}

}  // namespace hourglass::issuance::sqlite
