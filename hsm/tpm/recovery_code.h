// Codes that open a sealed key when its TPM's registers have changed.
#ifndef HOURGLASS_HSM_TPM_RECOVERY_CODE_H_
#define HOURGLASS_HSM_TPM_RECOVERY_CODE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/key_folder.h"

namespace hourglass::hsm {

// A new code: 26 characters of RFC 4648 section 6, 130 random bits, and four more that check them,
// without separators. As many octets as a TPM takes. Errors: INTERNAL_ERROR.
absl::StatusOr<SecretText> NewRecoveryCode();

// The code for people: six groups of five with hyphens between them, a secret.
std::string FormatRecoveryCode(absl::string_view code);

// The code that somebody typed: case, white space and hyphens do not matter, and 0, 1 and 8, which
// no code has, are taken for O, I and B. Errors: PIN_REFUSED for what is no code or is mistyped
// (one slip in a million is missed), so that no TPM counts it.
absl::StatusOr<SecretText> ParseRecoveryCode(absl::string_view typed);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_RECOVERY_CODE_H_
