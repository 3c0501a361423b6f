// Lets a PIN that was refused through no second time.
#ifndef HOURGLASS_HSM_TPM_PIN_GATE_H_
#define HOURGLASS_HSM_TPM_PIN_GATE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "hsm/key/key_uri.h"
#include "hsm/key/pin.h"

namespace hourglass::hsm {

// A TPM counts wrong PINs and locks all that it holds after a few. Not safe to call from several
// threads at once.
class PinGate {
 public:
  explicit PinGate(const std::optional<PinSource>& source) : source_(source) {}

  bool has_source() const { return source_.has_value(); }

  // The PIN as it is in its source now, or null where none is configured. Errors: PIN_REFUSED for
  // the PIN that was refused last, those of Pin::Read.
  absl::StatusOr<std::unique_ptr<Pin>> Read() const;

  // Remembers that `pin` was refused, by its fingerprint.
  void Refuse(const Pin& pin);

 private:
  const std::optional<PinSource> source_;
  std::optional<std::string> refused_;
};

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_TPM_PIN_GATE_H_
