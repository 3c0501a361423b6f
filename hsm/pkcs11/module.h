// A loaded PKCS#11 module.
#ifndef HOURGLASS_HSM_PKCS11_MODULE_H_
#define HOURGLASS_HSM_PKCS11_MODULE_H_

#include <p11-kit/pkcs11.h>

#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"

namespace hourglass::hsm {

// One per file and process. A process initialises Cryptoki once (PKCS #11 v2.40 section 5.4), and
// finalising it while threads sign crashes modules, so a module stays until the process ends: join
// every thread that signs before exit(). Never fork without exec once a module is loaded. Safe to
// call from several threads.
class Module {
 public:
  // Loads and initialises, with the operating system's locks, the module of `token`, or returns the
  // one that is loaded. Errors: KEY_UNAVAILABLE where the file cannot be loaded, is no module of
  // PKCS #11 version 2 or 3, lacks a function that this room calls, or fails to initialise; it may
  // be tried again.
  static absl::StatusOr<Module*> Load(const TokenUri& token);

  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const CK_FUNCTION_LIST& api() const { return *api_; }

  // The slot of the one initialised token with this label (and serial number, if given). Slot
  // numbers themselves change. Errors: KEY_UNAVAILABLE where none or several match.
  absl::StatusOr<CK_SLOT_ID> FindSlot(const TokenUri& token) const;

  // What the token and the module say of themselves. Errors: KEY_UNAVAILABLE.
  absl::StatusOr<CustodianFacts> Describe(const TokenUri& token, CK_SLOT_ID slot) const;

  // A read-only or read-write session. Opening and closing are serialised because tpm2-pkcs11 1.9
  // hands out one handle twice otherwise. Errors: KEY_UNAVAILABLE.
  absl::StatusOr<CK_SESSION_HANDLE> OpenSession(const TokenUri& token, CK_SLOT_ID slot,
                                                bool writable);
  void CloseSession(CK_SESSION_HANDLE session);

 private:
  explicit Module(const CK_FUNCTION_LIST* api) : api_(api) {}

  const CK_FUNCTION_LIST* const api_;
  std::mutex sessions_mutex_;  // one session opened or closed at a time
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_MODULE_H_
