#include "issuance/store/sqlite/engine/fence.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance::sqlite {

absl::Status Fence::Renew(Connection& main) {
  // https://www.sqlite.org/pragma.html#pragma_data_version: counts what other connections commit.
  ASSIGN_OR_RETURN(const std::int64_t changes_of_others, main.QueryInteger("PRAGMA data_version"));
  const std::int64_t own_changes = main.ChangesSoFar();
  if (changes_of_others == changes_of_others_ && own_changes == own_changes_) {
    return absl::OkStatus();
  }
  tenants_.clear();
  released_.clear();
  changes_of_others_ = changes_of_others;
  own_changes_ = own_changes;
  return absl::OkStatus();
}

absl::StatusOr<const FencedTenant*> Fence::Find(Connection& main, absl::string_view tenant_id) {
  auto known = tenants_.find(tenant_id);
  if (known == tenants_.end()) {
    ASSIGN_OR_RETURN(Rows rows,
                     main.Query("SELECT epoch, root_id FROM tenants LEFT JOIN roots ON "
                                "roots.tenant_id = tenants.tenant_id AND state = 'PRIMARY' "
                                "WHERE tenants.tenant_id = ?",
                                {Text{tenant_id}}));
    ASSIGN_OR_RETURN(const bool found, rows.Next());
    std::optional<FencedTenant> tenant;
    if (found) {
      tenant.emplace();
      tenant->epoch = static_cast<std::uint64_t>(rows.TakeInteger());
      tenant->primary_root = rows.TakeOctets();
    }
    known = tenants_.emplace(tenant_id, std::move(tenant)).first;
  }
  return known->second.has_value() ? &*known->second : nullptr;
}

absl::StatusOr<bool> Fence::IsReleased(Connection& main, absl::string_view tenant_id,
                                       absl::string_view root_id, absl::string_view serial_number) {
  const absl::string_view separator("\0", 1);
  std::string name = absl::StrCat(tenant_id, separator, root_id, separator, serial_number);
  if (released_.contains(name)) return true;
  ASSIGN_OR_RETURN(
      const std::int64_t released,
      main.QueryInteger("SELECT EXISTS (SELECT 1 FROM intermediates WHERE tenant_id = ? AND "
                        "root_id = ? AND serial_number = ? AND certificate IS NOT NULL)",
                        {Text{tenant_id}, Text{root_id}, Blob{serial_number}}));
  if (released == 0) return false;
  released_.insert(std::move(name));
  return true;
}

}  // namespace hourglass::issuance::sqlite
