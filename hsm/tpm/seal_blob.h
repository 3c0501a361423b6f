// A sealed secret as it is kept outside the TPM. Nothing in it is secret.
#ifndef HOURGLASS_HSM_TPM_SEAL_BLOB_H_
#define HOURGLASS_HSM_TPM_SEAL_BLOB_H_

#include <tss2/tss2_tpm2_types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/sealer.h"

namespace hourglass::hsm {

struct SealedRegister {
  int number = 0;
  std::string value;  // SHA-256, 32 octets, as it was at sealing

  bool operator==(const SealedRegister&) const = default;
};

// The octets of a blob, integers with the most significant octet first:
//   8  "HGSEAL01"
//   1  SealAuthorization, 0 to 2
//   1  count of registers, 0 to 24; for each 1 its number, ascending, and 32 its value
//   2  size, and the Name of the storage root key, 1 to 66 octets
//   2  size, and the object's TPMT_PUBLIC, 1 to 256 octets
//   2  size, and the content of its TPM2B_PRIVATE, 1 to 512 octets
struct SealBlob {
  SealAuthorization authorization = SealAuthorization::kNone;
  std::vector<SealedRegister> registers;
  std::string storage_key_name;
  std::string public_area;
  std::string private_area;

  bool operator==(const SealBlob&) const = default;
};

std::string FormatSealBlob(const SealBlob& blob);

// Takes what FormatSealBlob gives, and nothing else. Errors: KEY_UNFIT.
absl::StatusOr<SealBlob> ParseSealBlob(absl::string_view octets);

// `registers` as TPMs take it: the SHA-256 bank alone, or nothing.
TPML_PCR_SELECTION PcrSelectionOf(const PcrSelection& registers);

// The policy digest (TPM 2.0 Library Specification part 3 sections 23.7 and 23.17) that the
// registers and the authorization ask for, 32 octets. Computed from the values, rather than in a
// trial session, so that it is about the very values that are kept. Errors: INTERNAL_ERROR.
absl::StatusOr<std::string> PolicyDigestOf(const SealBlob& blob);

// What a sealed object must be by its attributes: it cannot leave the TPM, and opens by its policy
// alone; without a PIN, wrong tries are not counted.
TPM2B_PUBLIC SealedObjectTemplate(SealAuthorization authorization, absl::string_view policy);

// The object of the blob. Errors: KEY_UNFIT where it is not exactly SealedObjectTemplate of what
// the blob says of its registers and authorization.
absl::StatusOr<TPM2B_PUBLIC> SealedObjectOf(const SealBlob& blob);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_SEAL_BLOB_H_
