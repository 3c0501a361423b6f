// What a response code of a TPM or of tpm2-tss is called, what it means to a caller, and what may
// mend it.
#ifndef HOURGLASS_HSM_TPM_RESPONSE_CODE_H_
#define HOURGLASS_HSM_TPM_RESPONSE_CODE_H_

#include <tss2/tss2_common.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// What may help after a response code (TPM 2.0 Library Specification part 2 section 6.6, and what
// tpm2-tss was seen to do).
enum class TpmRemedy {
  // Trying again cannot help, or may do harm: every refused authorization.
  kNone,
  // The TPM is busy with itself: the same command again, a little later.
  kRepeat,
  // It has no room: give up what nobody needs, then again.
  kFlush,
  // The connection, or what is known of its state, is lost: connect anew.
  kReconnect,
};

// `TPM_RC_LOCKOUT`; for codes of the layers above the TPM `TSS2_RC 0x7000a`; for others
// `TPM_RC 0x1c4`. The number of the handle, session or parameter is left out.
std::string TpmCodeName(TSS2_RC code);

TpmRemedy TpmRemedyOf(TSS2_RC code);

// True of codes that say that the authorization value was wrong.
bool IsWrongPin(TSS2_RC code);
// True of codes that say that the platform configuration registers are not as the policy wants
// them.
bool IsPolicyRefusal(TSS2_RC code);
// True of codes that say that there is no such handle.
bool IsMissingHandle(TSS2_RC code);
// True of codes that only somebody at the machine or its administrator can mend: a TPM that failed
// or that is locked.
bool NeedsSomebody(TSS2_RC code);

// An error with the reason that fits `code` (PIN_REFUSED, KEY_UNSUPPORTED, else KEY_UNAVAILABLE),
// the message `FUNCTION: NAME`, with what to do where somebody has to, and the code for
// TpmCodeOf. `function` is the command (`TPM2_Sign`).
absl::Status TpmError(absl::string_view field, absl::string_view function, TSS2_RC code);

// The code that TpmError put into `status`.
std::optional<TSS2_RC> TpmCodeOf(const absl::Status& status);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_RESPONSE_CODE_H_
