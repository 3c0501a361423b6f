// The document of a trust bundle in its parts: how each is written, and what it may say. All of it
// but BundleRules is safe to call from several threads.
#ifndef HOURGLASS_CA_BUNDLE_BUNDLE_TEXT_H_
#define HOURGLASS_CA_BUNDLE_BUNDLE_TEXT_H_

#include <cstdint>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "ca/bundle/trust_bundle.h"

namespace hourglass::ca {

// The line that a document begins with, and the one that it ends with.
inline constexpr absl::string_view kFirstLine = "Hourglass trust bundle 1\n";
inline constexpr absl::string_view kLastLine = "end\n";

// What each of the other lines begins with.
inline constexpr absl::string_view kTenantWord = "tenant ";
inline constexpr absl::string_view kVersionWord = "version ";
inline constexpr absl::string_view kChangedWord = "changed ";
inline constexpr absl::string_view kRootWord = "root ";
inline constexpr absl::string_view kRemovedWord = "removed ";

// `tenant contoso` and its like, each with the end of its line.
std::string TenantText(absl::string_view tenant_id);
std::string VersionText(std::uint64_t version);
std::string ChangedText(Time changed_at);
// The line of a root, and its certificate in PEM.
std::string RootText(const BundleRoot& root);
std::string RemovedText(const RemovedRoot& removed);

// OK where these may be in a bundle. Errors: FIELD_INVALID with field `tenant_id`, `version` or
// `changed_at`.
absl::Status CheckTenant(absl::string_view tenant_id);
absl::Status CheckVersion(std::uint64_t version);
absl::Status CheckChanged(Time changed_at);

// What the roots of one bundle may be, beside each other. For one thread.
class BundleRules {
 public:
  // OK where `root` may be the next of a bundle that has what was added so far. Verifies the
  // certificate's signature. Errors: FIELD_INVALID with field `roots[N].root_id`, `.state` or
  // `.certificate`.
  absl::Status AddRoot(const BundleRoot& root);

  // The same for a removed root. Errors: FIELD_INVALID with field `removed[N].root_id` or
  // `.sha256`.
  absl::Status AddRemoved(const RemovedRoot& removed);

 private:
  absl::Status AddNames(absl::string_view path, absl::string_view digest_field,
                        absl::string_view root_id, absl::string_view sha256);

  std::set<std::string, std::less<>> root_ids_, digests_;
  std::size_t roots_ = 0, removed_ = 0;
  bool has_primary_ = false;
};

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_BUNDLE_BUNDLE_TEXT_H_
