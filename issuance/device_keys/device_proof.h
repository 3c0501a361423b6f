// Whether a device asks itself: the proof by its key, and the enrolment of the key.
#ifndef HOURGLASS_ISSUANCE_DEVICE_KEYS_DEVICE_PROOF_H_
#define HOURGLASS_ISSUANCE_DEVICE_KEYS_DEVICE_PROOF_H_

#include <chrono>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/issuance.pb.h"
#include "issuance/base/clock.h"
#include "issuance/device_keys/statements.h"

namespace hourglass::issuance {

// How far the time of a proof may be from the service's, in either direction: for clocks of devices
// that are a little wrong, and for a broker that had to wait. It bounds how long somebody who takes
// a proof down may hold it back, which is all that he can do with it.
inline constexpr std::chrono::seconds kProofTolerance = std::chrono::minutes(5);
inline constexpr std::size_t kMinProofNonceSize = 16;
inline constexpr std::size_t kMaxProofNonceSize = 64;

// Whether `proof` shows that the device whose key this is asks for just that, now; the key is one
// that CheckDeviceKey accepted, and `now` must be trusted. `now` at the tolerance is within it.
// Errors, with the field of the proof behind `field`: FIELD_MISSING and FIELD_INVALID for one that
// is malformed; DEVICE_PROOF_REFUSED with `field.signed_at` where it is not of now, with
// `field.signature` where the signature is another key's or over something else; INTERNAL_ERROR. A
// pure function; safe to call from several threads.
absl::Status CheckDeviceProof(const v1::DeviceProof& proof,
                              absl::string_view subject_public_key_info,
                              const DeviceQuestion& question, Timestamp now,
                              absl::string_view field = "device_proof");

// The same for whoever enrols a key: that the device has it.
absl::Status CheckEnrolmentProof(const v1::DeviceProof& proof,
                                 absl::string_view subject_public_key_info,
                                 const DeviceEnrolment& enrolment, Timestamp now,
                                 absl::string_view field = "proof");

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DEVICE_KEYS_DEVICE_PROOF_H_
