// Initialised OpenSSL contexts of one key, used again and again by whichever thread needs one.
#ifndef HOURGLASS_HSM_KEY_EVP_CONTEXT_POOL_H_
#define HOURGLASS_HSM_KEY_EVP_CONTEXT_POOL_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "hsm/base/openssl.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// Setting a context up costs a seventh of a P-256 signature, and a context serves one thread at a
// time. Safe to call from several threads; keeps as many contexts as were ever in use at once.
class EvpContextPool {
 public:
  enum class Operation { kSign, kVerify };

  // Contexts that sign or verify digests of DigestOf(type), for RSA with PKCS #1 v1.5 padding.
  // Tries one at once. Errors: INTERNAL_ERROR.
  static absl::StatusOr<std::unique_ptr<EvpContextPool>> Create(EvpPkeyPtr key, KeyType type,
                                                                Operation operation);

  // A context for the caller alone. Give it back only if it did not fail. Errors: INTERNAL_ERROR.
  absl::StatusOr<EvpPkeyCtxPtr> Take();
  void GiveBack(EvpPkeyCtxPtr context);

 private:
  EvpContextPool(EvpPkeyPtr key, KeyType type, Operation operation);

  const EvpPkeyPtr key_;
  const KeyType type_;
  const Operation operation_;
  Mutex mutex_;
  std::vector<EvpPkeyCtxPtr> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_EVP_CONTEXT_POOL_H_
