#include "issuance/rotation/key_permission.h"

#include <algorithm>
#include <optional>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"
#include "issuance/rotation/tenant_key_name.h"

namespace hourglass::issuance {
namespace {

absl::Status NotPermitted() {
  return Error(ErrorReason::kKeyNotPermitted, "key_uri",
               "is not a key of this tenant: those are called hourglass-TENANT-rNUMBER, or were "
               "bound to it by an administrator of every tenant (hourglass keys create --tenant)");
}

std::optional<std::string> TenantOfUri(absl::string_view uri) {
  const absl::StatusOr<hsm::KeyUri> parsed = hsm::ParseKeyUri(uri);
  return parsed.ok() ? TenantOfKeyName(hsm::KeyNameOf(*parsed)) : std::nullopt;
}

}  // namespace

absl::StatusOr<KeyPermission> KeyPermission::Of(Store& store, absl::string_view tenant_id,
                                                KeyReach reach) {
  ASSIGN_OR_RETURN(std::vector<BoundKey> bound, store.ListBoundKeys());
  return KeyPermission(tenant_id, reach, std::move(bound));
}

const BoundKey* KeyPermission::FindBound(absl::string_view uri, bool of_this_tenant) const {
  for (const BoundKey& key : bound_) {
    if ((key.tenant_id == tenant_id_) == of_this_tenant && hsm::MayNameOneKey(key.key_uri, uri)) {
      return &key;
    }
  }
  return nullptr;
}

bool KeyPermission::HasTenantsName(absl::string_view uri) const {
  return TenantOfUri(uri) == tenant_id_;
}

absl::StatusOr<std::string> KeyPermission::Resolve(const hsm::KeyStore& keys,
                                                   absl::string_view uri) const {
  // What is no URI is told so before anything is looked at.
  RETURN_IF_ERROR(hsm::ParseKeyUri(uri).status());
  absl::StatusOr<std::string> canonical = keys.CanonicalUri(uri);
  if (HasTenantsName(uri)) return canonical;
  if (canonical.ok()) {
    if (const BoundKey* bound = FindBound(*canonical, true); bound != nullptr) {
      return bound->key_uri;
    }
  }
  if (reach_ != KeyReach::kEveryTenant) return NotPermitted();
  RETURN_IF_ERROR(canonical.status());
  if (TenantOfUri(uri).has_value() || FindBound(*canonical, false) != nullptr) {
    return NotPermitted();
  }
  return canonical;
}

bool KeyPermission::MayMake(absl::string_view uri) const {
  return reach_ == KeyReach::kEveryTenant || HasTenantsName(uri);
}

absl::Status KeyPermission::CheckFound(absl::string_view uri, absl::string_view public_key) const {
  for (const BoundKey& key : bound_) {
    if (key.public_key != public_key) continue;
    return key.tenant_id == tenant_id_ ? absl::OkStatus() : NotPermitted();
  }
  return MayMake(uri) ? absl::OkStatus() : NotPermitted();
}

bool KeyPermission::IsBound(absl::string_view public_key) const {
  return std::any_of(bound_.begin(), bound_.end(), [&](const BoundKey& key) {
    return key.tenant_id == tenant_id_ && key.public_key == public_key;
  });
}

}  // namespace hourglass::issuance
