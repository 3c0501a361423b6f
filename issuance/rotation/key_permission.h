// Which keys the roots of a tenant may be made of.
#ifndef HOURGLASS_ISSUANCE_ROTATION_KEY_PERMISSION_H_
#define HOURGLASS_ISSUANCE_ROTATION_KEY_PERMISSION_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/store/key_store.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// Who names the keys: an administrator of the tenant, or one who is bound to every tenant and is
// the only one to whom keys show that are no tenant's.
enum class KeyReach { kOwnTenant, kEveryTenant };

// Places of keys are shared by all tenants. A key is a tenant's by its name (TenantOfKeyName) or
// because it is bound to it (Store::BindKey); what is another tenant's is refused to everybody, and
// what is no tenant's to an administrator of one. Errors of all: KEY_NOT_PERMITTED with field
// `key_uri`, in the same words whatever the key is, whether it is there or not.
class KeyPermission {
 public:
  // What holds for this tenant now. Errors: JOURNAL_UNAVAILABLE.
  static absl::StatusOr<KeyPermission> Of(Store& store, absl::string_view tenant_id,
                                          KeyReach reach);

  // The canonical form of a URI that may be named, with the id where a key bound to the tenant is
  // meant. Looks for no key. Errors: KEY_URI_INVALID.
  absl::StatusOr<std::string> Resolve(const hsm::KeyStore& keys, absl::string_view uri) const;

  // Whether a key of this canonical URI may be made where none is.
  bool MayMake(absl::string_view uri) const;

  // Whether the key that was found under this canonical URI is one that may be used: what is bound
  // is a public key and not its name.
  absl::Status CheckFound(absl::string_view uri, absl::string_view public_key) const;

  // Whether the key is bound to the tenant.
  bool IsBound(absl::string_view public_key) const;

 private:
  KeyPermission(absl::string_view tenant_id, KeyReach reach, std::vector<BoundKey> bound)
      : tenant_id_(tenant_id), reach_(reach), bound_(std::move(bound)) {}

  // The first that may answer to it, of this tenant or of another; null where there is none.
  const BoundKey* FindBound(absl::string_view uri, bool of_this_tenant) const;
  bool HasTenantsName(absl::string_view uri) const;

  std::string tenant_id_;
  KeyReach reach_;
  std::vector<BoundKey> bound_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_KEY_PERMISSION_H_
