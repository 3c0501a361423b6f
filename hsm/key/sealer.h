// Secrets that only one TPM gives back, and only in the state that they were sealed for.
#ifndef HOURGLASS_HSM_KEY_SEALER_H_
#define HOURGLASS_HSM_KEY_SEALER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// Platform configuration registers of the SHA-256 bank that must hold what they held when the
// secret was sealed; empty: any state of this TPM will do. 0 to kHighestRegister, ascending, no
// repeats.
using PcrSelection = std::vector<int>;

// What a TPM of a PC has at least (TCG PC Client Platform TPM Profile, PCR requirements).
inline constexpr int kHighestRegister = 23;

// What unsealing asks for besides the registers.
enum class SealAuthorization {
  kNone,
  kPin,           // the TPM's configured PIN
  kRecoveryCode,  // a code of its own, given at unsealing
};

// Implementations are safe to call from several threads.
class Sealer {
 public:
  virtual ~Sealer() = default;
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;

  // Seals `secret` (1 to 128 octets) under the storage root key. `recovery_code` is used with
  // kRecoveryCode only. Returns an opaque blob, no secret, that says by itself which registers and
  // authorization it needs. Errors: KEY_UNAVAILABLE, also where the PIN cannot be read, PIN_REFUSED
  // where none is configured or it is the one that was refused last.
  virtual absl::StatusOr<std::string> Seal(absl::string_view secret, const PcrSelection& registers,
                                           SealAuthorization authorization,
                                           absl::string_view recovery_code) = 0;

  // The secret; the caller must wipe it (OPENSSL_cleanse). Errors: KEY_UNFIT with a message that
  // says so where the registers hold something else or the blob was changed or is another TPM's,
  // PIN_REFUSED for a wrong PIN or code (tried once only: TPMs lock), KEY_UNAVAILABLE.
  virtual absl::StatusOr<std::string> Unseal(absl::string_view blob,
                                             absl::string_view recovery_code) = 0;

 protected:
  Sealer() = default;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_SEALER_H_
