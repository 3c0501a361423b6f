// Reads the URIs of keys that live in files or in a TPM. For hsm/key/key_uri.h, which says the
// forms.
#ifndef HOURGLASS_HSM_KEY_PLACE_URI_H_
#define HOURGLASS_HSM_KEY_PLACE_URI_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/key/key_uri.h"

namespace hourglass::hsm {

inline constexpr absl::string_view kSoftwareScheme = "software:";
inline constexpr absl::string_view kTpmScheme = "tpm:";

// Both take a URI of their scheme. Errors: KEY_URI_INVALID without a field.
absl::StatusOr<KeyUri> ParseSoftwareUri(absl::string_view text);
absl::StatusOr<KeyUri> ParseTpmUri(absl::string_view text);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_PLACE_URI_H_
