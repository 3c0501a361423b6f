// Streams of trust bundles.
#ifndef HOURGLASS_ISSUANCE_SERVICES_BUNDLE_WATCH_H_
#define HOURGLASS_ISSUANCE_SERVICES_BUNDLE_WATCH_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/trust_bundles.pb.h"
#include "hsm/base/mutex.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
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
  using Request = Asked<v1::WatchTrustBundleRequest>;
  using Reactor = grpc::ServerWriteReactor<v1::TrustBundle>;

  // All must outlive this object, and that every stream.
  BundleWatches(CallRunner* calls, TrustBundles* bundles, TenantStore* tenants,
                const BundleFetches* fetches);
  BundleWatches(const BundleWatches&) = delete;
  BundleWatches& operator=(const BundleWatches&) = delete;

  // The stream keeps itself until it is done. It sends the bundle as it is now, and again when
  // TenantStore::changes has told of the tenant and the version is another, or the same one has
  // more signatures than what was sent; of changes that come while one is read, signed or sent, the
  // last. Each bundle that gRPC has written is noted (BundleFetches), before the stream ends; where
  // no more of the caller's calls may wait it is not. It ends with an error and never with OK:
  // CallRunner::Identify, which is asked before each bundle; FIELD_INVALID for a message that is
  // none; those of Permit and of TrustBundles::Get; KEY_UNAVAILABLE where no root can
  // sign; OVERLOADED where there are as many as
  // CallLimits has, where more of the caller's calls wait than may, or where it reads nothing and
  // holds as many octets as it may; STOPPING; CANCELLED where the caller is gone. All but the last
  // two are logged and counted.
  Reactor* Open(grpc::CallbackServerContext* context, const Request& asked);

  // Sends no more, and opens none: they end with STOPPING.
  void Stop();

 private:
  class Watch;
  using OfTenant = absl::flat_hash_set<std::shared_ptr<Watch>>;

  bool Add(const std::string& tenant_id, std::shared_ptr<Watch> watch);
  void Remove(const std::string& tenant_id, const std::shared_ptr<Watch>& watch);
  void Wake(absl::string_view tenant_id);

  CallRunner* const calls_;
  TrustBundles* const bundles_;
  const BundleFetches* const fetches_;
  Mutex mutex_;  // held while no watch is called
  absl::flat_hash_map<std::string, OfTenant> open_
      ABSL_GUARDED_BY(mutex_);  // by tenant, none empty
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  const TenantChanges::Subscription subscription_;  // ends before all else goes
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_BUNDLE_WATCH_H_
