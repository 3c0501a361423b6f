#include "hsm/tpm/pin_gate.h"

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/tpm/esys_connection.h"

namespace hourglass::hsm {

absl::StatusOr<std::unique_ptr<Pin>> PinGate::Read() const {
  if (!source_.has_value()) return nullptr;
  ASSIGN_OR_RETURN(std::unique_ptr<Pin> pin, Pin::Read(*source_));
  if (!refused_.has_value()) return pin;
  ASSIGN_OR_RETURN(const std::string fingerprint, pin->Fingerprint());
  if (fingerprint != *refused_) return pin;
  return Error(ErrorReason::kPinRefused, kTpmField,
               "the TPM refused this PIN, which is not tried again until its source gives another");
}

void PinGate::Refuse(const Pin& pin) {
  const absl::StatusOr<std::string> fingerprint = pin.Fingerprint();
  if (fingerprint.ok()) refused_ = *fingerprint;
}

}  // namespace hourglass::hsm
