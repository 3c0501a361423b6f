// Whether a service could take this program's own certificate at all.
#ifndef HOURGLASS_TOOLS_CLIENT_OWN_CERTIFICATE_H_
#define HOURGLASS_TOOLS_CLIENT_OWN_CERTIFICATE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace hourglass::client {

// A service turns a bad certificate away in the handshake, where it can say little: so the first
// certificate of `pem` is looked at before. `file` is its name in messages. Errors:
// CONFIGURATION_INVALID with field `tls.certificate` where it has expired by `now`, is not yet
// valid, or is not for clients (RFC 5280 section 4.2.1.12).
absl::Status CheckOwnCertificate(absl::string_view pem, const std::string& file, absl::Time now);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_OWN_CERTIFICATE_H_
