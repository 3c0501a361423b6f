#include "issuance/services/bundle_watch.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

class BundleSource final : public WatchSource<v1::TrustBundle> {
 public:
  BundleSource(TrustBundles* bundles, const BundleFetches* fetches, const Caller& caller,
               const std::string& tenant_id)
      : bundles_(bundles), fetches_(fetches), caller_(caller), tenant_id_(tenant_id) {}

  absl::StatusOr<bool> HasNext() override;
  absl::StatusOr<v1::TrustBundle> TakeNext() override;
  bool MayHaveMore() const override { return false; }
  bool NotesWhatIsSent() const override { return true; }
  void Note() override { fetches_->Note(caller_, tenant_id_, *sent_version_); }

 private:
  TrustBundles* const bundles_;
  const BundleFetches* const fetches_;
  const Caller& caller_;
  const std::string tenant_id_;
  std::shared_ptr<const SignedTrustBundle> next_;
  std::optional<std::uint64_t> sent_version_;
  std::size_t sent_signatures_ = 0;
};

absl::StatusOr<bool> BundleSource::HasNext() {
  ASSIGN_OR_RETURN(next_, bundles_->Get(tenant_id_));
  if (sent_version_.has_value()) {
    // A root that could not sign that version may have done so since: whoever trusts no other root
    // waits for its signature.
    const bool has_gained =
        next_->version == *sent_version_ && next_->signatures.size() > sent_signatures_;
    if (next_->version <= *sent_version_ && !has_gained) return false;
  }
  // It would be refused, and count as sent when somebody can sign it.
  if (!next_->is_complete && next_->signatures.empty()) {
    return Error(ErrorReason::kKeyUnavailable, "", "no root can sign the trust bundle now");
  }
  return true;
}

absl::StatusOr<v1::TrustBundle> BundleSource::TakeNext() {
  const std::shared_ptr<const SignedTrustBundle> bundle = std::move(next_);
  sent_version_ = bundle->version;
  sent_signatures_ = bundle->signatures.size();
  return ToProto(*bundle);
}

}  // namespace

v1::TrustBundle ToProto(const SignedTrustBundle& bundle) {
  v1::TrustBundle proto;
  proto.set_tenant_id(bundle.tenant_id);
  proto.set_version(bundle.version);
  for (const std::string& root : bundle.roots) proto.add_roots(root);
  proto.set_document(bundle.document);
  for (const ca::BundleSignature& signature : bundle.signatures) {
    v1::BundleSignature& added = *proto.add_signatures();
    added.set_root_sha256(signature.root_sha256);
    added.set_signature(signature.signature);
  }
  return proto;
}

BundleWatches::BundleWatches(CallRunner* calls, TrustBundles* bundles, TenantStore* tenants,
                             const BundleFetches* fetches)
    : streams_(calls, "WatchTrustBundle",
               [bundles, fetches](const Caller& caller, const v1::WatchTrustBundleRequest& asked) {
                 return std::make_unique<BundleSource>(bundles, fetches, caller, asked.tenant_id());
               }),
      subscription_(tenants->changes().Subscribe(
          [this](absl::string_view tenant_id) { streams_.Wake(tenant_id); })) {}

}  // namespace hourglass::issuance
