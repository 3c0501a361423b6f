// Streams of trust bundles.
#ifndef HOURGLASS_ISSUANCE_SERVICES_BUNDLE_WATCH_H_
#define HOURGLASS_ISSUANCE_SERVICES_BUNDLE_WATCH_H_

#include <grpcpp/server_context.h>

#include "hourglass/v1/trust_bundles.pb.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/watches.h"
#include "issuance/rotation/trust_bundles.h"
#include "issuance/services/bundle_fetches.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// What a caller is sent of a bundle.
v1::TrustBundle ToProto(const SignedTrustBundle& bundle);

// The open streams of v1::TrustBundleService.WatchTrustBundle. Has no thread: what may block is
// done in turn with the other calls of who watches. Safe to call from several threads.
class BundleWatches {
 public:
  using Streams = Watches<v1::WatchTrustBundleRequest, v1::TrustBundle>;

  // All must outlive this object, and that every stream.
  BundleWatches(CallRunner* calls, TrustBundles* bundles, TenantStore* tenants,
                const BundleFetches* fetches);

  // The stream keeps itself until it is done. It sends the bundle as it is now, and again when
  // TenantStore::changes has told of the tenant and the version is another, or the same one has
  // more signatures than what was sent; of changes that come while one is read, signed or sent, the
  // last. Each bundle that gRPC has written is noted (BundleFetches), before the stream ends; where
  // no more of the caller's calls may wait it is not. It ends as Watches says, and with the errors
  // of TrustBundles::Get and KEY_UNAVAILABLE where no root can sign.
  Streams::Reactor* Open(grpc::CallbackServerContext* context, const Streams::Request& asked) {
    return streams_.Open(context, asked);
  }

  // Sends no more, and opens none: they end with STOPPING.
  void Stop() { streams_.Stop(); }

 private:
  Streams streams_;
  const TenantChanges::Subscription subscription_;  // ends before all else goes
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_BUNDLE_WATCH_H_
