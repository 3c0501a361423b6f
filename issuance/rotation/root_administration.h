// Makes a tenant's roots and moves them between their states.
#ifndef HOURGLASS_ISSUANCE_ROTATION_ROOT_ADMINISTRATION_H_
#define HOURGLASS_ISSUANCE_ROTATION_ROOT_ADMINISTRATION_H_

#include <chrono>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/root_states.h"
#include "hsm/key_store.h"
#include "hsm/signing_key.h"
#include "issuance/clock.h"
#include "issuance/entropy.h"
#include "issuance/store/store.h"
#include "issuance/tenants.h"

namespace hourglass::issuance {

struct RootOrder {
  std::string tenant_id;
  std::chrono::seconds duration;
  hsm::KeyType key_type;
  std::string key_uri;     // empty: a new key in the default place
  std::string request_id;  // may be empty
};

enum class KeyFate { kKeep, kDestroy };
enum class KeyOrigin { kMadeHere, kFound };

// Safe to call from several threads; one change at a time in this process, and the store refuses
// what another process has overtaken.
class RootAdministration {
 public:
  // All must outlive this object.
  RootAdministration(Store* store, hsm::KeyStore* keys, Tenants* tenants, Entropy* entropy,
                     const Clock* clock)
      : store_(store), keys_(keys), tenants_(tenants), entropy_(entropy), clock_(clock) {}

  // A key and a STAGED root; never touches the primary (promise 1). Where the request id made a
  // root before, that one is returned. A key made here is destroyed again if the root cannot be.
  // Errors: TENANT_UNKNOWN, FIELD_INVALID, REQUEST_ID_REUSED where the request id made a root of
  // another kind, KEY_EXISTS where another root has or had the key, or `key_uri` is empty and the
  // token holds a key of the default name already, KEY_UNFIT where it is of another type, and what
  // KeyStore says.
  absl::StatusOr<RootRecord> Create(const RootOrder& order);

  // STAGED or RETIRING to PRIMARY, and the primary of before to RETIRING, in one transaction; from
  // its commit on nothing signed by the other is released (promise 6). Opens the new primary's key
  // first: a root that cannot sign is not promoted. Errors: TENANT_UNKNOWN, ROOT_UNKNOWN,
  // ROOT_MOVE_ILLEGAL, PRIMARY_CHANGED where another process came first, and what
  // Tenants::OpenAuthority says.
  absl::StatusOr<RootRecord> Promote(absl::string_view tenant_id, absl::string_view root_id);

  // RETIRING to RETIRED, STAGED to DISCARDED. With kDestroy the key is destroyed afterwards; where
  // that fails the root is in its new state all the same, and the error says so. Asked again of a
  // root that is there already, with kDestroy, only the key is destroyed. Errors: as Promote, and
  // what KeyStore::Destroy says; FIELD_INVALID with field `destroy_key`, and nothing is changed,
  // for a key that was there before the root.
  absl::StatusOr<RootRecord> Retire(absl::string_view tenant_id, absl::string_view root_id,
                                    KeyFate fate);
  absl::StatusOr<RootRecord> Discard(absl::string_view tenant_id, absl::string_view root_id,
                                     KeyFate fate);

 private:
  absl::StatusOr<std::unique_ptr<hsm::SigningKey>> ObtainKey(const RootOrder& order,
                                                             absl::string_view uri, bool& made);
  absl::StatusOr<RootRecord> IssueAndAdd(const RootOrder& order, const TenantRecord& tenant,
                                         int generation, absl::string_view uri, KeyOrigin origin,
                                         hsm::SigningKey& key);
  absl::StatusOr<RootRecord> End(absl::string_view tenant_id, absl::string_view root_id,
                                 ca::RootMove move, ca::RootState end, KeyFate fate);
  // Destroys the key that was made for a root that could not be; `why` it could not. Returns the
  // root if it is there after all.
  absl::StatusOr<RootRecord> TakeBackKey(absl::string_view tenant_id, absl::string_view root_id,
                                         absl::string_view uri, const absl::Status& why);
  ca::RootFacts FactsOf(const RootRecord& root) const;

  Store* const store_;
  hsm::KeyStore* const keys_;
  Tenants* const tenants_;
  Entropy* const entropy_;
  const Clock* const clock_;
  std::mutex mutex_;  // held for a whole change
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_ROTATION_ROOT_ADMINISTRATION_H_
