// Where in a token the keys are that sign.
#ifndef HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_
#define HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "hsm/custodian.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// The object handles of private keys, each looked up once a login: the first few one by one, then
// all together, since a search may take as long as the token has objects. Safe to call from several
// threads.
class KeyHandles {
 public:
  // The private key's handle for the login of `session`. When it is looked up the public object
  // beside it must be `key`'s: another key under the same label and id must not sign. Errors:
  // KEY_MISMATCH, and those of FindPrivateKey and ReadPublicKey.
  absl::StatusOr<CK_OBJECT_HANDLE> Of(Session& session, const CustodialKey& key);

  // To be looked up again; of no effect where another thread has done so since `handle` was got.
  void Forget(const CustodialKey& key, CK_OBJECT_HANDLE handle);

 private:
  struct Place {
    KeySelector selector;
    uint64_t login;
    CK_OBJECT_HANDLE handle;
  };
  // The two objects of one label and id; CK_INVALID_HANDLE where there are several.
  struct Halves {
    std::optional<CK_OBJECT_HANDLE> private_key;
    std::optional<CK_OBJECT_HANDLE> public_key;
  };
  using Index = std::map<std::pair<std::string, std::string>, Halves>;  // by label and id

  std::optional<CK_OBJECT_HANDLE> Known(const Session& session, const CustodialKey& key);
  // All three with lookup_mutex_ held.
  absl::StatusOr<CK_OBJECT_HANDLE> LookUp(Session& session, const CustodialKey& key);
  absl::StatusOr<Halves> HalvesOf(Session& session, const KeySelector& selector);
  static absl::StatusOr<Index> ReadIndex(Session& session);

  std::shared_mutex mutex_;
  absl::flat_hash_map<std::string, Place> places_;  // by SubjectPublicKeyInfo; guarded by mutex_

  std::mutex lookup_mutex_;
  // All guarded by lookup_mutex_.
  uint64_t login_ = 0;
  int lookups_ = 0;  // in this login
  Index index_;      // of this login; empty until it is worth it
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_
