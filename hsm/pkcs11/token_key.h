// Signing keys that live in a PKCS#11 token.
#ifndef HOURGLASS_HSM_PKCS11_TOKEN_KEY_H_
#define HOURGLASS_HSM_PKCS11_TOKEN_KEY_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/pkcs11/session_pool.h"
#include "hsm/pkcs11/token_objects.h"
#include "hsm/signing_key.h"

namespace hourglass::hsm {

// Open, generate and destroy as KeyStore says, with its errors. The key keeps the pool alive, the
// handle of its object from one login to the next, and signs in as many threads at once as the pool
// has sessions.
absl::StatusOr<std::unique_ptr<SigningKey>> OpenTokenKey(std::shared_ptr<SessionPool> pool,
                                                         const KeySelector& selector);

// The new key has `selector`'s id, or a random one of 16 octets where it gives none.
absl::StatusOr<std::unique_ptr<SigningKey>> GenerateTokenKey(std::shared_ptr<SessionPool> pool,
                                                             const KeySelector& selector,
                                                             KeyType type);

absl::Status DestroyTokenKey(SessionPool& pool, const KeySelector& selector);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_TOKEN_KEY_H_
