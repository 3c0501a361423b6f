#include "issuance/store/postgresql/tables/postgresql_tenants.h"

#include <cstdint>
#include <string>

#include "ca/names/root_name.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::postgresql {
namespace {

TenantRecord TakeTenant(Rows& rows) {
  TenantRecord tenant;
  tenant.tenant_id = rows.TakeOctets();
  tenant.display_name = rows.TakeOctets();
  tenant.created_at = TakeTimestamp(rows);
  tenant.epoch = static_cast<std::uint64_t>(rows.TakeInteger());
  tenant.revision = static_cast<std::uint64_t>(rows.TakeInteger());
  tenant.policy_revision = static_cast<std::uint64_t>(rows.TakeInteger());
  return tenant;
}

}  // namespace

absl::Status CreateTenant(Connection& connection, const TenantRecord& tenant) {
  const std::string root_name_key = ca::RootNameKey(tenant.display_name);
  ASSIGN_OR_RETURN(
      const std::int64_t created,
      connection.Change("INSERT INTO tenants (tenant_id, display_name, created_at, root_name_key) "
                        "VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                        {Text{tenant.tenant_id}, Text{tenant.display_name},
                         ValueOf(tenant.created_at), Text{root_name_key}}));
  if (created == 1) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::int64_t there,
      connection.QueryInteger("SELECT EXISTS (SELECT 1 FROM tenants WHERE tenant_id = $1)",
                              {Text{tenant.tenant_id}}));
  return there != 0 ? TenantExists() : DisplayNameTaken();
}

absl::StatusOr<TenantRecord> GetTenant(Connection& connection, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, display_name, created_at, epoch, revision, "
                                    "policy_revision "
                                    "FROM tenants WHERE tenant_id = $1",
                                    {Text{tenant_id}}));
  if (!rows.Next()) return TenantUnknown();
  return TakeTenant(rows);
}

absl::StatusOr<std::vector<TenantRecord>> ListTenants(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, display_name, created_at, epoch, revision, "
                                    "policy_revision "
                                    "FROM tenants ORDER BY tenant_id"));
  std::vector<TenantRecord> tenants;
  while (rows.Next()) tenants.push_back(TakeTenant(rows));
  return tenants;
}

absl::StatusOr<int> ReserveGeneration(Connection& connection, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("UPDATE tenants SET last_generation = last_generation + 1 "
                                    "WHERE tenant_id = $1 RETURNING last_generation",
                                    {Text{tenant_id}}));
  if (!rows.Next()) return TenantUnknown();
  return static_cast<int>(rows.TakeInteger());
}

}  // namespace hourglass::issuance::postgresql
