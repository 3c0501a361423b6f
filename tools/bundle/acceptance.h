// Whether a follower takes a bundle that the service sent.
#ifndef HOURGLASS_TOOLS_BUNDLE_ACCEPTANCE_H_
#define HOURGLASS_TOOLS_BUNDLE_ACCEPTANCE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hourglass/v1/trust_bundles.pb.h"
#include "tools/bundle/follow_state.h"

namespace hourglass::bundle {

struct Accepted {
  FollowState state;      // stage kAccepted
  std::string signed_by;  // the certificate, DER, of the root that the follower believed
};

// A follower that knows nothing yet believes `trusted`, certificates in DER. One that knows a
// bundle believes its roots and no others, and goes on only to what follows it
// (ca::CheckBundleFollows); pass nullptr where there is none. The bundle must be of `tenant`, and
// the message must say the same as its document. Errors: BUNDLE_INVALID, and the message says why.
absl::StatusOr<Accepted> Accept(const v1::TrustBundle& message, absl::string_view tenant,
                                const FollowState* known, absl::Span<const std::string> trusted);

// The certificates, DER, of a file that was obtained out of band: PEM, in one of the forms of
// ca::AsText. Errors: FIELD_INVALID with field `--trust` where it cannot be read, holds no
// certificate, or one that cannot be parsed.
absl::StatusOr<std::vector<std::string>> TrustedCertificates(const std::string& path);

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_ACCEPTANCE_H_
