// What the URIs of keys of every scheme have in common as text.
#ifndef HOURGLASS_HSM_KEY_URI_TEXT_H_
#define HOURGLASS_HSM_KEY_URI_TEXT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::hsm {

// KEY_URI_INVALID without a field. `message` must repeat no value: one may be a PIN.
absl::Status UriInvalid(absl::string_view message);

// At most 4096 characters, all of those that may stand in a URI (RFC 7512 section 2.3): no white
// space, nothing that must be percent-encoded. Errors: KEY_URI_INVALID.
absl::Status CheckUriText(absl::string_view text);

// Every attribute of `part` is one of `allowed` and stands there once, with a value. An empty part
// has none. Errors: KEY_URI_INVALID.
absl::Status CheckAttributes(absl::string_view part, char separator,
                             std::vector<absl::string_view> allowed);

// The value of the attribute as it is written; empty where it is not there. For a part that
// CheckAttributes took.
absl::string_view AttributeIn(absl::string_view part, char separator, absl::string_view name);

// `value` with each `%` and two hexadecimal digits turned into the octet. Errors: KEY_URI_INVALID
// for a `%` without them, and for control characters, NUL too.
absl::StatusOr<std::string> PercentDecoded(absl::string_view value);

bool HasControlCharacter(absl::string_view value);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEY_URI_TEXT_H_
