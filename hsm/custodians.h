// Which kind of custodian holds a token: one in this process, or one in processes of its own.
#ifndef HOURGLASS_HSM_CUSTODIANS_H_
#define HOURGLASS_HSM_CUSTODIANS_H_

#include <memory>

#include "hsm/custodian.h"
#include "hsm/key_store.h"
#include "hsm/key_uri.h"

namespace hourglass::hsm {

// Does not touch the token.
std::shared_ptr<KeyCustodian> CustodianOf(const TokenUri& token, const KeyStoreOptions& options);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_CUSTODIANS_H_
