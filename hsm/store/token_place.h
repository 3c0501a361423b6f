// A PKCS#11 token as a place of keys.
#ifndef HOURGLASS_HSM_STORE_TOKEN_PLACE_H_
#define HOURGLASS_HSM_STORE_TOKEN_PLACE_H_

#include <memory>

#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/store/key_place.h"

namespace hourglass::hsm {

// The keys of `token`, which `custodian` holds.
std::unique_ptr<KeyPlace> TokenPlace(TokenUri token, std::shared_ptr<KeyCustodian> custodian);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_TOKEN_PLACE_H_
