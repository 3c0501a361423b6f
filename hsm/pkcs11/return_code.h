// What a Cryptoki return code is called, what it means to a caller, and what may mend it.
#ifndef HOURGLASS_HSM_PKCS11_RETURN_CODE_H_
#define HOURGLASS_HSM_PKCS11_RETURN_CODE_H_

#include <p11-kit/pkcs11.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// What may help after a return code, from PKCS #11 v2.40 section 5.1 and what modules were seen to
// do.
enum class Remedy {
  // Trying again cannot help, or may do harm: every PIN error, wrong arguments.
  kNone,
  // This session is lost or in an unknown state: use another, after a look at the login.
  kNewSession,
  // The object's handle is stale: look at the login, then find the object again.
  kFindAgain,
  // The token has left its slot, and its sessions and login with it: look where it is now.
  kFindToken,
  // The token or the machine has no room for one more session: do with those that are open.
  kFewerSessions,
  // The module has failed as a whole: only a module initialised anew, in a new process, may mend
  // it.
  kNewModule,
};

// `CKR_PIN_INCORRECT`, or `CKR 0x80000001` for codes that the standard does not name.
std::string ReturnCodeName(CK_RV code);

// kNewSession for codes that the standard does not name: nothing is known of the session's state.
Remedy RemedyOf(CK_RV code);

// True of the codes by which C_Login refuses a PIN: the same one must not be tried again.
bool RefusesThePin(CK_RV code);

// False of codes that the standard does not name, of which a module's word for a wrong PIN may be
// one.
bool IsNamed(CK_RV code);

// True of codes that say that the session handle is no more. Such a session must not be closed: its
// number may already be another's.
bool SessionIsGone(CK_RV code);

// An error with the reason that fits `code` (PIN_REFUSED, KEY_UNSUPPORTED, else KEY_UNAVAILABLE),
// the message `FUNCTION: NAME`, and the code for ReturnCodeOf. `function` is the Cryptoki function
// that returned it, `field` a URI without its PIN source.
absl::Status Pkcs11Error(absl::string_view field, absl::string_view function, CK_RV code);

// The code that Pkcs11Error put into `status`.
std::optional<CK_RV> ReturnCodeOf(const absl::Status& status);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_PKCS11_RETURN_CODE_H_
