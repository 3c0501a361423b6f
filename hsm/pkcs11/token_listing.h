// What keys a token holds.
#ifndef HOURGLASS_HSM_PKCS11_TOKEN_LISTING_H_
#define HOURGLASS_HSM_PKCS11_TOKEN_LISTING_H_

#include <vector>

#include "absl/status/statusor.h"
#include "hsm/custodian.h"
#include "hsm/pkcs11/session_pool.h"

namespace hourglass::hsm {

// Every private key, in no order, with the public key of the one object of its label and id, and
// what is wrong with it. Reads each object once. Errors: KEY_UNAVAILABLE.
absl::StatusOr<std::vector<KeyListing>> ListKeys(Session& session);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_TOKEN_LISTING_H_
