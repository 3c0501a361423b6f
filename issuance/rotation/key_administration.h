// The keys in the places of the configuration, and which root each of them is of.
#ifndef HOURGLASS_ISSUANCE_ROTATION_KEY_ADMINISTRATION_H_
#define HOURGLASS_ISSUANCE_ROTATION_KEY_ADMINISTRATION_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/issuers/root_states.h"
#include "hsm/key/custodian.h"
#include "hsm/key/signing_key.h"
#include "hsm/store/key_store.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

struct KeyUser {
  std::string tenant_id;
  std::string root_id;
  ca::RootState state;
};

struct AdministeredKey {
  hsm::KeyStore::StoredKey stored;
  // The root whose certificate holds this public key, or else whose key has this URI.
  std::optional<KeyUser> used_by;
  // The plan of a creation that was interrupted; see RootAdministration::Create.
  std::optional<PlannedKey> left_by;
  std::string bound_to;  // the tenant's id, or empty
};

struct AdministeredPlace {
  std::string name;  // as in hsm::KeyStore::Place, as are the next two
  std::string kind;
  absl::Status status;
  std::optional<hsm::CustodianStatus> condition;  // nothing for the software folder
  std::vector<AdministeredKey> keys;              // by URI
};

// Safe to call from several threads.
class KeyAdministration {
 public:
  // All must outlive this object.
  KeyAdministration(Store* store, hsm::KeyStore* keys, RootAdministration* roots)
      : store_(store), keys_(keys), roots_(roots) {}

  // Waits for places that do not answer as long as hsm::KeyStore does. Errors: JOURNAL_UNAVAILABLE;
  // a place's own error is its `status`.
  absl::StatusOr<std::vector<AdministeredPlace>> List();

  struct Creation {
    std::string uri;  // canonical, with the key's id
    std::string public_key;
    bool created;
  };
  // Makes a key that no root has yet, or finds the fit one of this name and type. With a tenant, it
  // is bound to it (Store::BindKey): no root of another can be made of it, and that tenant's
  // administrators may name it. Errors: KEY_EXISTS where the one that is there is of another type,
  // or is to be bound and is of a root of another tenant; KEY_IN_USE where another change of this
  // process has it, or one of its name, in hand; TENANT_UNKNOWN, QUOTA_EXCEEDED;
  // KEY_NOT_PERMITTED with field `tenant_id` where the key or its name is another tenant's; and
  // what KeyStore says.
  absl::StatusOr<Creation> Create(absl::string_view uri, hsm::KeyType type,
                                  absl::string_view tenant_id = "");

  // Destroys the key, fit or not, and returns what it was. Errors: as KeyDestruction.
  absl::StatusOr<AdministeredKey> Destroy(absl::string_view uri, absl::string_view caller = "");

 private:
  struct Users;
  absl::StatusOr<Users> ReadUsers();
  absl::Status CheckTenantOf(absl::string_view uri, absl::string_view tenant_id);
  // Errors: KEY_EXISTS, KEY_NOT_PERMITTED.
  absl::Status Bind(const Creation& key, absl::string_view tenant_id);

  Store* const store_;
  hsm::KeyStore* const keys_;
  RootAdministration* const roots_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_KEY_ADMINISTRATION_H_
