// Which kind of custodian holds a token or the TPM: one in this process, or one in processes of its
// own.
#ifndef HOURGLASS_HSM_STORE_CUSTODIANS_H_
#define HOURGLASS_HSM_STORE_CUSTODIANS_H_

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/sealer.h"
#include "hsm/keyholder/process/account.h"
#include "hsm/store/key_store.h"

namespace hourglass::hsm {

// Forks the process that starts the workers of every token and the TPM of `options`, which from now
// on is the WorkerParentOfThisProcess; nothing where there is nothing to start. As
// ForkWorkerSpawner, `account` included; errors also: CONFIGURATION_INVALID.
absl::Status ForkWorkerParent(const KeyStoreOptions& options,
                              const std::optional<Account>& account);

// One object under its two faces.
struct TpmFaces {
  std::shared_ptr<KeyCustodian> custodian;
  std::shared_ptr<Sealer> sealer;
};

// Both touch neither token nor TPM. Errors of the latter: CONFIGURATION_INVALID with the field
// `keys.tpm.tcti` or `keys.tpm.pin_source`.
std::shared_ptr<KeyCustodian> CustodianOfToken(const TokenUri& token,
                                               const KeyStoreOptions& options);
absl::StatusOr<TpmFaces> CustodianOfTpm(const TpmPlace& tpm, const KeyStoreOptions& options);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_STORE_CUSTODIANS_H_
