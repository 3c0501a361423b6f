// The environment of a worker process.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_ENVIRONMENT_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_ENVIRONMENT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hsm/keyholder/protocol/protocol.h"

namespace hourglass::hsm {

// Whether a worker gets the variable in any case: what a program needs, and what PKCS#11 modules
// and the TPM's library are configured by (docs/keys.md lists them). None of them is a secret.
bool IsOfWorkers(absl::string_view name);

// Those of `environment` (`NAME=VALUE`, ended by null) that a worker with `custodian` gets: what
// IsOfWorkers, what is in `more`, the variable that this custodian's PIN is in, and
// CREDENTIALS_DIRECTORY where its PIN is a credential. So no worker has another token's PIN.
std::vector<std::string> WorkerEnvironment(const std::variant<TokenUri, TpmConnection>& custodian,
                                           absl::Span<const std::string> more,
                                           const char* const* environment);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_ENVIRONMENT_H_
