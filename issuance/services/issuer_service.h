#ifndef HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_

#include "hourglass/v1/issuance.grpc.pb.h"
#include "issuance/call_runner.h"
#include "issuance/event_log.h"
#include "issuance/issuance_counters.h"
#include "issuance/lanes.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// v1::CertificateIssuer over the lanes.
class IssuerService final : public v1::CertificateIssuer::CallbackService {
 public:
  // All must outlive this object and every call.
  IssuerService(CallRunner* calls, Lanes* lanes, Store* store, IssuanceCounters* counters,
                const EventLog* log)
      : calls_(calls), lanes_(lanes), store_(store), counters_(counters), log_(log) {}

  grpc::ServerUnaryReactor* IssueCertificate(grpc::CallbackServerContext* context,
                                             const v1::IssueCertificateRequest* request,
                                             v1::IssueCertificateResponse* response) override;
  grpc::ServerUnaryReactor* GetTrustBundle(grpc::CallbackServerContext* context,
                                           const v1::GetTrustBundleRequest* request,
                                           v1::TrustBundle* response) override;

 private:
  class IssueCall;

  CallRunner* const calls_;
  Lanes* const lanes_;
  Store* const store_;
  IssuanceCounters* const counters_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_
