// What a follower knows: the bundle that it accepted last, and how far it has come with it. Kept in
// a file, which is written before anything that it leads to, so that whoever is killed goes on from
// there.
#ifndef HOURGLASS_TOOLS_BUNDLE_FOLLOW_STATE_H_
#define HOURGLASS_TOOLS_BUNDLE_FOLLOW_STATE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "ca/bundle/trust_bundle.h"

namespace hourglass::bundle {

// What has been done for sure. Each includes those before it.
enum class Stage {
  kAccepted,      // nothing yet: the roots' file may be old, or new already
  kHooked,        // the roots' file is in place, and the hook has succeeded with it
  kAcknowledged,  // the service has been told
};

struct FollowState {
  std::string document;  // ca::EncodeTrustBundle
  std::vector<ca::BundleSignature> signatures;
  ca::TrustBundle bundle;  // what the document says
  Stage stage = Stage::kAccepted;
  // The SHA-256, 32 octets, of the hook's command line that succeeded with these roots. Empty where
  // none is known to have: before kHooked, by a follower without a hook, in a file that was written
  // before this was noted.
  std::string hook_sha256;
};

// The certificates of its roots, DER, oldest first.
std::vector<std::string> RootsOf(const ca::TrustBundle& bundle);

// Whether one of its own roots has signed the document, and none of its signatures by them is
// false: shows damage, and not where it came from. Errors: BUNDLE_INVALID.
absl::Status CheckSigned(const FollowState& state);

// One JSON object (RFC 8259): `tenant_id`, `version`, `stage` (`accepted`, `hooked`,
// `acknowledged`), `hook_sha256` (hexadecimal, may be empty), `document`, `signatures`
// (`root_sha256`, `signature`, both hexadecimal). Ended by a newline.
std::string StateText(const FollowState& state);

// Reads what StateText writes, also without `hook_sha256`; CheckSigned holds of it. Errors:
// FIELD_INVALID without a field, and what is wrong with it; BUNDLE_INVALID.
absl::StatusOr<FollowState> ParseState(absl::string_view text);

// The state in the file; nullopt where there is no file. Errors: FIELD_INVALID with field
// `--state`, naming the file, where it cannot be read, is damaged, or is of another tenant.
absl::StatusOr<std::optional<FollowState>> LoadState(const std::string& path,
                                                     absl::string_view tenant);

// Replaces the file, durably, mode 0600. Errors: FIELD_INVALID with field `--state`.
absl::Status SaveState(const std::string& path, const FollowState& state);

}  // namespace hourglass::bundle

#endif  // HOURGLASS_TOOLS_BUNDLE_FOLLOW_STATE_H_
