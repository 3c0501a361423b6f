// The device's own signature, which a command of the user's makes.
#ifndef HOURGLASS_TOOLS_BROKER_DEVICE_SIGNER_H_
#define HOURGLASS_TOOLS_BROKER_DEVICE_SIGNER_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/device_keys/statements.h"
#include "tools/agent/waiter.h"

namespace hourglass::broker {

// The octets that are to be signed, with the time and the nonce of this signature.
using Statement = std::function<std::string(const issuance::StatementMark& mark)>;

// Has `sh -c COMMAND` sign a new statement of this second, which is in the file that
// $HOURGLASS_STATEMENT names; the signature is what it leaves in the file that
// $HOURGLASS_SIGNATURE names. Both are in a folder of their own, mode 0700, which goes again. As
// agent::RunHook otherwise. Errors: those of RunHook; FIELD_INVALID without a field where there is
// no signature, or the folder cannot be used; INTERNAL_ERROR.
absl::StatusOr<v1::DeviceProof> SignByDevice(const std::string& command, const Statement& statement,
                                             agent::Waiter& waiter);

}  // namespace hourglass::broker

#endif  // HOURGLASS_TOOLS_BROKER_DEVICE_SIGNER_H_
