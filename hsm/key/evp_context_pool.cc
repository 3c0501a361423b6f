#include "hsm/key/evp_context_pool.h"

#include <openssl/rsa.h>

#include <utility>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"

namespace hourglass::hsm {

EvpContextPool::EvpContextPool(EvpPkeyPtr key, KeyType type, Operation operation)
    : key_(std::move(key)), type_(type), operation_(operation) {}

absl::StatusOr<std::unique_ptr<EvpContextPool>> EvpContextPool::Create(EvpPkeyPtr key, KeyType type,
                                                                       Operation operation) {
  std::unique_ptr<EvpContextPool> pool(new EvpContextPool(std::move(key), type, operation));
  ASSIGN_OR_RETURN(EvpPkeyCtxPtr first, pool->Take());
  pool->GiveBack(std::move(first));
  return pool;
}

absl::StatusOr<EvpPkeyCtxPtr> EvpContextPool::Take() {
  {
    const MutexLock lock(mutex_);
    if (!idle_.empty()) {
      EvpPkeyCtxPtr context = std::move(idle_.back());
      idle_.pop_back();
      return context;
    }
  }
  EvpPkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  const bool ready =
      context != nullptr &&
      (operation_ == Operation::kSign ? EVP_PKEY_sign_init(context.get())
                                      : EVP_PKEY_verify_init(context.get())) == 1 &&
      EVP_PKEY_CTX_set_signature_md(context.get(), DigestOf(type_)) == 1 &&
      (IsEc(type_) || EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1);
  if (!ready) return Error(ErrorReason::kInternalError, "key", DrainOpensslErrors());
  return context;
}

void EvpContextPool::GiveBack(EvpPkeyCtxPtr context) {
  const MutexLock lock(mutex_);
  idle_.push_back(std::move(context));
}

}  // namespace hourglass::hsm
