// The gRPC methods of trust bundles.
#ifndef HOURGLASS_ISSUANCE_SERVICES_TRUST_BUNDLE_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_TRUST_BUNDLE_SERVICE_H_

#include "hourglass/v1/trust_bundles.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/trust_bundles.h"
#include "issuance/services/bundle_fetches.h"
#include "issuance/services/bundle_watch.h"
#include "issuance/store/relying_party_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// v1::TrustBundleService over the bundles that are signed, and the relying parties in the store.
class TrustBundleService final : public UnaryService<v1::TrustBundleService> {
 public:
  // All must outlive this object and every call.
  TrustBundleService(CallRunner* calls, TrustBundles* bundles, TenantStore* tenants,
                     RelyingPartyStore* relying_parties, const Clock* clock, const EventLog* log)
      : bundles_(bundles),
        tenants_(tenants),
        relying_parties_(relying_parties),
        clock_(clock),
        log_(log),
        fetches_(relying_parties, clock, log),
        watches_(calls, bundles, tenants, &fetches_) {
    Serve(calls, this, "GetTrustBundle", &TrustBundleService::GetTrustBundle);
    Serve(calls, this, "AcknowledgeTrustBundle", &TrustBundleService::AcknowledgeTrustBundle);
    ServeStream<v1::WatchTrustBundleRequest, v1::TrustBundle>(
        "WatchTrustBundle",
        [this](grpc::CallbackServerContext* context, const BundleWatches::Streams::Request& asked) {
          return watches_.Open(context, asked);
        });
  }

  // Open streams end with STOPPING.
  void StopWatches() { watches_.Stop(); }

  // A relying party's fetch is noted (BundleFetches) when the answer is made: whether that arrives
  // is not known here.
  absl::Status GetTrustBundle(const Caller& caller, const v1::GetTrustBundleRequest& request,
                              v1::TrustBundle* response);
  // What is acknowledged anew is logged as `bundle_acknowledged`.
  absl::Status AcknowledgeTrustBundle(const Caller& caller,
                                      const v1::AcknowledgeTrustBundleRequest& request,
                                      v1::RelyingParty* response);

 private:
  TrustBundles* const bundles_;
  TenantStore* const tenants_;
  RelyingPartyStore* const relying_parties_;
  const Clock* const clock_;
  const EventLog* const log_;
  const BundleFetches fetches_;
  BundleWatches watches_;  // uses them
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_TRUST_BUNDLE_SERVICE_H_
