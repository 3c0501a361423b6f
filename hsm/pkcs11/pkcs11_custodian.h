// A PKCS#11 token whose module is loaded into this process.
#ifndef HOURGLASS_HSM_PKCS11_PKCS11_CUSTODIAN_H_
#define HOURGLASS_HSM_PKCS11_PKCS11_CUSTODIAN_H_

#include <memory>

#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/keys_in_parts.h"

namespace hourglass::hsm {

struct Pkcs11CustodianOptions {
  int sessions = 8;  // open at once, besides the one that keeps the login; at least 1
  // For a free session.
  std::chrono::milliseconds wait = std::chrono::seconds(5);
  // Where the login is lost; else that needs a new custodian. False for one of several processes
  // that hold the same token: were the PIN changed meanwhile, each would try the old one, and the
  // token might lock.
  bool logs_in_again = true;
};

class TokenCustodian : public KeyCustodian {
 public:
  // As List, in parts.
  virtual std::unique_ptr<KeysInParts> ListInParts() = 0;
};

// Touches the token when first used: loads the module, finds the token, logs in once. Lost
// sessions, logins and handles are mended within a call; where only a new module may help, the
// error NeedsNewCustodian, and in this process nothing mends it (finalising a module under threads
// crashes it): that is what hsm/keyholder is for. A PIN that the token refused is not tried again;
// the next try is made when the PIN's source gives another one. Keys keep working while any of them
// lives: join every thread that signs before exit(), and do not fork without exec.
std::unique_ptr<TokenCustodian> CreatePkcs11Custodian(const TokenUri& token,
                                                      const Pkcs11CustodianOptions& options);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_PKCS11_CUSTODIAN_H_
