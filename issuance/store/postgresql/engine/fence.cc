#include "issuance/store/postgresql/engine/fence.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/encoding/digest.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance::postgresql {
namespace {

// With a NUL, which is in no other text that this room hashes.
constexpr absl::string_view kDomain("hourglass fence\0", 16);

// Locks named by two numbers are others than those named by one. `HGLS`, and which of ours.
constexpr absl::string_view kLockAdministration = "SELECT pg_advisory_xact_lock(1212632147, 1)";

}  // namespace

std::int64_t FenceKey(absl::string_view tenant_id) {
  const std::string digest = ca::Sha256(absl::StrCat(kDomain, tenant_id));
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < sizeof(key); ++i) {
    key = key << 8 | static_cast<unsigned char>(digest[i]);
  }
  return static_cast<std::int64_t>(key);
}

absl::StatusOr<std::optional<FencedTenant>> HoldTenant(Connection& connection,
                                                       absl::string_view tenant_id) {
  ASSIGN_OR_RETURN(
      std::vector<Rows> rows,
      connection.RunTogether(
          {{kHoldEpoch, {FenceKey(tenant_id)}},
           {"SELECT epoch, primary_root FROM tenants WHERE tenant_id = $1", {Text{tenant_id}}}}));
  Rows& read = rows.back();
  if (!read.Next()) return std::optional<FencedTenant>();
  FencedTenant tenant;
  tenant.epoch = static_cast<std::uint64_t>(read.TakeInteger());
  tenant.primary_root = read.TakeOctets();
  return std::make_optional(std::move(tenant));
}

absl::Status LockForPromotion(Connection& connection, absl::string_view tenant_id) {
  // The row as well: a program that knows row locks alone is then fenced, too.
  return connection
      .RunTogether(
          {{"SELECT pg_advisory_xact_lock($1)", {FenceKey(tenant_id)}},
           {"SELECT epoch FROM tenants WHERE tenant_id = $1 FOR UPDATE", {Text{tenant_id}}}})
      .status();
}

absl::Status LockForAdministration(Connection& connection) {
  return connection.Query(kLockAdministration).status();
}

}  // namespace hourglass::issuance::postgresql
