// The storage root key that this TPM's keys are made and sealed under.
#ifndef HOURGLASS_HSM_TPM_STORAGE_KEY_H_
#define HOURGLASS_HSM_TPM_STORAGE_KEY_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/tpm/esys_connection.h"

namespace hourglass::hsm {

// Where TCG TPM v2.0 Provisioning Guidance 1.0 section 7.8 puts the owner's storage root key.
inline constexpr TPM2_HANDLE kStorageRootKey = 0x81000001;

class StorageKey {
 public:
  // The administrator's key at 0x81000001 where there is one that IsStorageKey, or else the primary
  // key of the TCG's template, made for as long as this object lives: nothing is left in the TPM
  // that nobody asked for. With `name` only a key of that Name (TPM 2.0 Library Specification part
  // 1 section 16) is taken. Errors: KEY_UNFIT where `name` is given and neither has it,
  // KEY_UNAVAILABLE.
  static absl::StatusOr<StorageKey> Find(const EsysConnection& connection,
                                         absl::string_view name = "");

  ESYS_TR get() const {
    return primary_.get() != ESYS_TR_NONE ? primary_.get() : persistent_.get();
  }
  // 34 octets where its name algorithm is SHA-256.
  const std::string& name() const { return name_; }

  // A session of AES-128-CFB, salted with this key, that hides the first parameter of a command and
  // of its answer from whoever listens on the bus. Errors: KEY_UNAVAILABLE.
  absl::StatusOr<EsysTransient> StartSession(const EsysConnection& connection, TPM2_SE kind) const;

 private:
  StorageKey() = default;

  EsysPersistent persistent_;
  EsysTransient primary_;
  std::string name_;
};

// An authorization that was refused to a command that has no use for the PIN: the owner hierarchy
// or the storage root key has a password. Other errors stay as they are.
absl::Status WithoutPin(const absl::Status& status);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_STORAGE_KEY_H_
