// The part of each kit that keeps a gateway's roots up to date: hourglass-bundle as a service of
// systemd (docs/bundle.md).
#ifndef HOURGLASS_TOOLS_GATEWAYS_FOLLOWER_H_
#define HOURGLASS_TOOLS_GATEWAYS_FOLLOWER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/gateways/kit.h"

namespace hourglass::gateways {

// How one kind's follower differs.
struct Follower {
  absl::string_view kind;  // names the files: `hourglass-bundle-KIND.service`
  std::string out;         // absolute path of the file that the gateway reads
  std::string on_change;   // a shell command, one line; what docs/bundle.md says of --on-change
  absl::string_view format = "pem";
};

// The certificates of all roots, one behind the other, each after a line that names it: the file
// that the gateway reads at first, and what `--trust` of the follower is given. The same octets
// that hourglass-bundle writes but for the order, in which the primary is first.
std::string RootsPem(const KitSubject& subject);

// `hourglass-bundle.yaml`, `first-roots.pem` (for --trust) and the unit
// `hourglass-bundle-KIND.service`. Errors: FIELD_INVALID for `follower_folder`.
absl::StatusOr<std::vector<KitFile>> FollowerFiles(const KitSubject& subject, const Values& values,
                                                   const Follower& follower);

}  // namespace hourglass::gateways

#endif  // HOURGLASS_TOOLS_GATEWAYS_FOLLOWER_H_
