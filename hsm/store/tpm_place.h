// The TPM as a place of keys: those that stay in it, and those that lie sealed in a folder.
#ifndef HOURGLASS_HSM_STORE_TPM_PLACE_H_
#define HOURGLASS_HSM_STORE_TPM_PLACE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "hsm/store/custodians.h"
#include "hsm/store/key_place.h"
#include "hsm/store/key_store.h"

namespace hourglass::hsm {

// The keys of `tpm`, which `faces` are of. Errors: CONFIGURATION_INVALID with the field
// `keys.tpm.registers` or `keys.tpm.sealed_directory`.
absl::StatusOr<std::unique_ptr<KeyPlace>> TpmKeyPlace(const TpmPlace& tpm, TpmFaces faces);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_TPM_PLACE_H_
