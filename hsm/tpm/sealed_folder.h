// Keys that only one TPM opens, as files of one folder.
#ifndef HOURGLASS_HSM_TPM_SEALED_FOLDER_H_
#define HOURGLASS_HSM_TPM_SEALED_FOLDER_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/key_folder.h"
#include "hsm/key/sealer.h"
#include "hsm/key/signing_key.h"

namespace hourglass::hsm {

// What a sealed key's file says of it, without the TPM.
struct SealedKeyListing {
  std::string name;
  std::optional<KeyType> type;
  std::string public_key;     // SubjectPublicKeyInfo, DER
  PcrSelection registers;     // that it is bound to
  bool recoverable = false;   // has a recovery code
  std::string unfit_because;  // empty: it may open
};

// Each key is the file NAME.sealed (hsm/tpm/sealed_key_file.h), mode 0600: the private key under a
// key-encryption key of its own, which the TPM seals. Once open, it signs in this process and needs
// the TPM no more; its private half is in the secure heap (hsm/key/secure_heap.h). Safe to call
// from several threads and processes. The field of errors is `tpm:sealed=NAME`; those of the sealer
// keep what hsm/key/custodian.h adds to errors.
class SealedFolder {
 public:
  // As of SoftwareFolder, with field `keys.tpm.sealed_directory`. `authorization` is what opening
  // new keys asks for: kNone, or kPin where the TPM has a PIN configured.
  static absl::StatusOr<SealedFolder> Create(absl::string_view path,
                                             SealAuthorization authorization);

  // Absolute, without a slash at its end.
  const std::string& path() const { return folder_.path(); }

  // Makes a key bound to what `registers` hold now. With `recovery_code` not null, it is sealed a
  // second time, under a new code (hsm/tpm/recovery_code.h) that opens it whatever the registers
  // hold, and the code is put there: a secret to be shown once. Opens what it made
  // before the file appears. Errors: KEY_EXISTS, KEY_UNAVAILABLE, those of Sealer.
  absl::StatusOr<std::unique_ptr<SigningKey>> Generate(absl::string_view name, KeyType type,
                                                       const PcrSelection& registers,
                                                       Sealer& sealer,
                                                       std::string* recovery_code = nullptr) const;

  // Unseals, decrypts, and checks the key with a test signature. Errors: KEY_NOT_FOUND, KEY_UNFIT,
  // also for a file that was changed, KEY_INVALID for one that is too large, KEY_UNAVAILABLE,
  // PIN_REFUSED, KEY_MISMATCH.
  absl::StatusOr<std::unique_ptr<SigningKey>> Open(absl::string_view name, Sealer& sealer) const;

  // Binds the key to what `registers` hold now; its recovery code stays good. It is opened as it is
  // bound now or, with `recovery_code`, by that, as somebody typed it. The file is replaced once
  // the new one was seen to open; a copy of the old one still opens as that was bound. What asks
  // for a PIN goes on to: for the one that is configured now. Errors: as of Open, KEY_UNFIT for a
  // code where the key has none, PIN_REFUSED where the key would lose its PIN.
  absl::Status Reseal(absl::string_view name, const PcrSelection& registers,
                      absl::string_view recovery_code, Sealer& sealer) const;

  // Errors: KEY_NOT_FOUND, KEY_UNAVAILABLE, KEY_UNFIT for a file that must not be read.
  absl::StatusOr<SealedKeyListing> Describe(absl::string_view name) const;

  // Every key, in alphabetical order. Errors: KEY_UNAVAILABLE.
  absl::StatusOr<std::vector<SealedKeyListing>> List() const;

  // Errors: KEY_NOT_FOUND, KEY_UNAVAILABLE.
  absl::Status Destroy(absl::string_view name) const;

 private:
  SealedFolder(KeyFolder folder, SealAuthorization authorization)
      : folder_(std::move(folder)), authorization_(authorization) {}

  KeyFolder folder_;
  SealAuthorization authorization_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_SEALED_FOLDER_H_
