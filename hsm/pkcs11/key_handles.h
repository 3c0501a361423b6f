// Where in a token the keys are that sign.
#ifndef HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_
#define HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "hsm/key/custodian.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// The object handles of private keys, each looked up once a login: the first few one by one, then
// all together, since a search may take as long as the token has objects. Safe to call from several
// threads.
class KeyHandles {
 public:
  struct Handle {
    CK_OBJECT_HANDLE object;
    // How many losses there had been when a signature by it was seen to verify.
    std::optional<uint64_t> proved_after;
  };

  // The private key's handle for the login of `session`. When it is looked up the public object
  // beside it must be `key`'s: another key under the same label and id must not sign. Errors:
  // KEY_MISMATCH, and those of FindPrivateKey and ReadPublicKey.
  absl::StatusOr<Handle> Of(Session& session, const CustodialKey& key);

  // A signature by `object`, begun after that many losses, verified.
  void Proved(const CustodialKey& key, CK_OBJECT_HANDLE object, uint64_t losses);

  // To be looked up again; of no effect where another thread has done so since `object` was got.
  void Forget(const CustodialKey& key, CK_OBJECT_HANDLE object);

 private:
  struct Place {
    KeySelector selector;
    uint64_t login;
    Handle handle;
  };
  // The two objects of one label and id; CK_INVALID_HANDLE where there are none or several.
  struct Halves {
    std::optional<CK_OBJECT_HANDLE> private_key;
    std::optional<CK_OBJECT_HANDLE> public_key;
  };
  using Index = std::map<std::pair<std::string, std::string>, Halves>;  // by label and id

  std::optional<Handle> Known(const Session& session, const CustodialKey& key);
  absl::StatusOr<CK_OBJECT_HANDLE> LookUp(Session& session, const CustodialKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lookup_mutex_);
  // Nothing where it takes a search.
  absl::StatusOr<std::optional<CK_OBJECT_HANDLE>> LookUpInIndex(Session& session,
                                                                const CustodialKey& key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(lookup_mutex_);
  // Reads index_ where that is worth it.
  absl::Status PrepareIndex(Session& session) ABSL_EXCLUSIVE_LOCKS_REQUIRED(lookup_mutex_);
  // Nothing where there is an object whose name cannot be read.
  static absl::StatusOr<std::optional<Index>> ReadIndex(Session& session);

  SharedMutex mutex_;
  // By SubjectPublicKeyInfo.
  absl::flat_hash_map<std::string, Place> places_ ABSL_GUARDED_BY(mutex_);

  Mutex lookup_mutex_;
  uint64_t login_ ABSL_GUARDED_BY(lookup_mutex_) = 0;
  int lookups_ ABSL_GUARDED_BY(lookup_mutex_) = 0;         // in this login
  int unread_indexes_ ABSL_GUARDED_BY(lookup_mutex_) = 0;  // in this login
  // Of this login; empty until it is worth it.
  Index index_ ABSL_GUARDED_BY(lookup_mutex_);
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_
