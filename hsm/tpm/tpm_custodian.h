// The TPM 2.0 of this machine, spoken to through tpm2-tss.
#ifndef HOURGLASS_HSM_TPM_TPM_CUSTODIAN_H_
#define HOURGLASS_HSM_TPM_TPM_CUSTODIAN_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "hsm/key/custodian.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/sealer.h"

namespace hourglass::hsm {

struct TpmConnection {
  // A TCTI of tpm2-tss, `NAME:CONFIG`: `device:/dev/tpmrm0`, `swtpm:host=127.0.0.1,port=2321`.
  std::string tcti = "device:/dev/tpmrm0";
  // The authorization value of keys made here and of what is sealed with kPin. Nothing: none.
  std::optional<PinSource> pin_source;
};

class TpmCustodian : public KeyCustodian, public Sealer {
 public:
  // Connects when first used, and anew, once within a call, after the TPM or its connection was
  // lost; where that does not help, the error NeedsNewCustodian. All commands go through one
  // connection, one at a time, as ESAPI and TPMs without a resource manager demand. A process that
  // uses this must ignore SIGPIPE. tpm2-tss writes to standard error unless TSS2_LOG=all+NONE.
  //
  // The PIN of a resident key is set once for a connection, and goes to the TPM with each signature
  // as it is: an HMAC session would cost tpm2-tss 1.5 ms of this machine for each. The PIN of what
  // is sealed only keys an HMAC.
  static std::unique_ptr<TpmCustodian> Create(const TpmConnection& connection);

 protected:
  TpmCustodian() = default;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_TPM_CUSTODIAN_H_
