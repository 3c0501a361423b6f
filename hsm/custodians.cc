#include "hsm/custodians.h"

#include "hsm/pkcs11/pkcs11_custodian.h"

namespace hourglass::hsm {

std::shared_ptr<KeyCustodian> CustodianOf(const TokenUri& token, const KeyStoreOptions& options) {
  Pkcs11CustodianOptions in_process;
  in_process.sessions = options.sessions_per_token;
  return CreatePkcs11Custodian(token, in_process);
}

}  // namespace hourglass::hsm
