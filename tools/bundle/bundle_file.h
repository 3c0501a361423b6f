// The file that a gateway trusts: the roots of a bundle, in the forms that gateways read.
#ifndef HOURGLASS_TOOLS_BUNDLE_BUNDLE_FILE_H_
#define HOURGLASS_TOOLS_BUNDLE_BUNDLE_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "ca/bundle/trust_bundle.h"

namespace hourglass::bundle {

enum class BundleFormat {
  kPem,  // RFC 7468, the roots oldest first, a line of words before each
  kDer,  // the certificate of the one root
  kP7b,  // PKCS#7 SignedData with certificates only (RFC 2315 section 9), DER, oldest first
};

// `pem`, `der`, `p7b`. Live as long as the process.
absl::Span<const absl::string_view> BundleFormatNames();
// `name` must be one of them.
BundleFormat BundleFormatOf(absl::string_view name);

// The content of the file. It follows from the roots alone: another version or state of the same
// roots gives the same octets. Errors: FIELD_INVALID with field `--format` where kDer meets
// several roots; INTERNAL_ERROR.
absl::StatusOr<std::string> ContentOf(const ca::TrustBundle& bundle, BundleFormat format);

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_BUNDLE_FILE_H_
