// A signing key that a custodian holds.
#ifndef HOURGLASS_HSM_KEY_CUSTODIAL_KEY_H_
#define HOURGLASS_HSM_KEY_CUSTODIAL_KEY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// The key that `custodian` described, after a signature by it has verified. It keeps the custodian
// alive, hashes here, and lets the custodian sign in as many threads as call. Errors: KEY_MISMATCH
// where the signature does not verify or the public key is not of the type, KEY_INVALID, and those
// of KeyCustodian::SignDigest.
absl::StatusOr<std::unique_ptr<SigningKey>> OpenCustodialKey(
    std::shared_ptr<KeyCustodian> custodian, CustodialKey key);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_CUSTODIAL_KEY_H_
