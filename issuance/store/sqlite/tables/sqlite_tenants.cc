#include "issuance/store/sqlite/tables/sqlite_tenants.h"

#include <cstdint>
#include <string>

#include "ca/names/root_name.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
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
  if (GetTenant(connection, tenant.tenant_id).ok()) return TenantExists();
  const std::string root_name_key = ca::RootNameKey(tenant.display_name);
  ASSIGN_OR_RETURN(const std::int64_t created,
                   connection.Change("INSERT INTO tenants (tenant_id, display_name, created_at, "
                                     "epoch, revision, last_generation, root_name_key) "
                                     "VALUES (?, ?, ?, 0, 0, 0, ?) ON CONFLICT DO NOTHING",
                                     {Text{tenant.tenant_id}, Text{tenant.display_name},
                                      ValueOf(tenant.created_at), Text{root_name_key}}));
  return created == 1 ? absl::OkStatus() : DisplayNameTaken();
}

absl::Status NameTenants(Connection& connection) {
  ASSIGN_OR_RETURN(const std::int64_t unnamed,
                   connection.QueryInteger("SELECT count(*) FROM tenants "
                                           "WHERE root_name_key IS NULL"));
  if (unnamed == 0) return absl::OkStatus();
  std::vector<TenantRecord> tenants;
  {
    ASSIGN_OR_RETURN(
        Rows rows, connection.Query("SELECT tenant_id, display_name, created_at, epoch, revision, "
                                    "policy_revision "
                                    "FROM tenants WHERE root_name_key IS NULL "
                                    "ORDER BY created_at, tenant_id"));
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) break;
      tenants.push_back(TakeTenant(rows));
    }
  }
  for (const TenantRecord& tenant : tenants) {
    const std::string root_name_key = ca::RootNameKey(tenant.display_name);
    // Where an older tenant has the name, this one goes on without: the name is taken all the same.
    RETURN_IF_ERROR(connection
                        .Change("UPDATE OR IGNORE tenants SET root_name_key = ? "
                                "WHERE tenant_id = ?",
                                {Text{root_name_key}, Text{tenant.tenant_id}})
                        .status());
  }
  return absl::OkStatus();
}

absl::StatusOr<TenantRecord> GetTenant(Connection& connection, absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, display_name, created_at, epoch, revision, "
                                    "policy_revision "
                                    "FROM tenants WHERE tenant_id = ?",
                                    {Text{tenant_id}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return TenantUnknown();
  return TakeTenant(rows);
}

absl::StatusOr<std::vector<TenantRecord>> ListTenants(Connection& connection) {
  ASSIGN_OR_RETURN(Rows rows,
                   connection.Query("SELECT tenant_id, display_name, created_at, epoch, revision, "
                                    "policy_revision "
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
