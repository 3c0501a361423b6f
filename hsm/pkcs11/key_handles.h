// Where in a token the keys are that sign.
#ifndef HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_
#define HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_

#include <p11-kit/pkcs11.h>

#include <cstdint>
#include <shared_mutex>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "hsm/custodian.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// The object handles of private keys, each looked up once a login. Safe to call from several
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

  std::shared_mutex mutex_;
  absl::flat_hash_map<std::string, Place> places_;  // by SubjectPublicKeyInfo; guarded by mutex_
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_KEY_HANDLES_H_
