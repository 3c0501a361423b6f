#ifndef HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_

#include "hourglass/v1/issuance.grpc.pb.h"
#include "issuance/call_runner.h"
#include "issuance/event_log.h"
#include "issuance/issuance_counters.h"
#include "issuance/pipeline.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// v1::CertificateIssuer over the pipeline.
class IssuerService final : public v1::CertificateIssuer::CallbackService {
 public:
  // All must outlive this object.
  IssuerService(CallRunner* calls, Pipeline* pipeline, Store* store, IssuanceCounters* counters,
                const EventLog* log)
      : calls_(calls), pipeline_(pipeline), store_(store), counters_(counters), log_(log) {}

  grpc::ServerUnaryReactor* IssueCertificate(grpc::CallbackServerContext* context,
                                             const v1::IssueCertificateRequest* request,
                                             v1::IssueCertificateResponse* response) override;
  grpc::ServerUnaryReactor* GetTrustBundle(grpc::CallbackServerContext* context,
                                           const v1::GetTrustBundleRequest* request,
                                           v1::TrustBundle* response) override;

 private:
  CallRunner* const calls_;
  Pipeline* const pipeline_;
  Store* const store_;
  IssuanceCounters* const counters_;
  const EventLog* const log_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_
