// Sealing and unsealing over one connection.
#ifndef HOURGLASS_HSM_TPM_SEALING_H_
#define HOURGLASS_HSM_TPM_SEALING_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/sealer.h"
#include "hsm/tpm/esys_connection.h"
#include "hsm/tpm/seal_blob.h"

namespace hourglass::hsm {

// Seals 1 to 128 octets under the storage root key. `value` is the PIN or code, empty with kNone.
// Errors: TpmError, KEY_UNAVAILABLE.
absl::StatusOr<SealBlob> SealSecret(const EsysConnection& connection, absl::string_view secret,
                                    const PcrSelection& registers, SealAuthorization authorization,
                                    absl::string_view value);

// The secret, which the caller must wipe. The PIN or code goes to the TPM once, and not as it is:
// it keys an HMAC. Errors: KEY_UNFIT; TpmError, where IsWrongPin tells that `value` was refused.
absl::StatusOr<std::string> UnsealSecret(const EsysConnection& connection, const SealBlob& blob,
                                         absl::string_view value);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_SEALING_H_
