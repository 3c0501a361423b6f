// What a TPM says of itself.
#ifndef HOURGLASS_HSM_TPM_TPM_FACTS_H_
#define HOURGLASS_HSM_TPM_TPM_FACTS_H_

#include <string>

#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"
#include "hsm/tpm/esys_connection.h"

namespace hourglass::hsm {

// Whether it is one in software is told by `tcti`, which the connection was opened with. Errors:
// TpmError, KEY_UNAVAILABLE.
absl::StatusOr<CustodianFacts> ReadTpmFacts(const EsysConnection& connection,
                                            const std::string& tcti);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_TPM_FACTS_H_
