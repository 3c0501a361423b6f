// The gRPC methods of brokers.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_

#include "hourglass/v1/issuance.grpc.pb.h"
#include "issuance/admission/lanes.h"
#include "issuance/admission/request_limits.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/services/issue_desk.h"
#include "issuance/services/issue_stream.h"

namespace hourglass::issuance {

// The stream with its octets (see IssueStreams).
using IssuerServiceBase = UnaryService<
    v1::CertificateIssuer,
    v1::CertificateIssuer::WithRawCallbackMethod_IssueCertificates<v1::CertificateIssuer::Service>>;

// v1::CertificateIssuer over the lanes.
class IssuerService final : public IssuerServiceBase {
 public:
  // All must outlive this object and every call. `clock` is the one of the lanes. `refusals` as
  // IssueDesk has it.
  IssuerService(CallRunner* calls, RequestLimits* limits, Lanes* lanes, IssuanceCounters* counters,
                const Clock* clock, const EventLog* log, RefusalKeeper* refusals = nullptr)
      : calls_(calls),
        desk_(calls, limits, lanes, counters, clock, log, refusals),
        streams_(calls, &desk_) {
    ServeAny<v1::IssueCertificateRequest, v1::IssueCertificateResponse>(
        "IssueCertificate", [this](const CallContext& context, const AskedForOne& asked,
                                   v1::IssueCertificateResponse* response) {
          return IssueCertificate(context, asked, response);
        });
  }

  // Open streams end with STOPPING when what they have read is answered.
  void StopStreams() { streams_.Stop(); }

  IssueStreams::Reactor* IssueCertificates(grpc::CallbackServerContext* context) override;

 private:
  class IssueCall;
  using AskedForOne = Asked<v1::IssueCertificateRequest>;

  grpc::ServerUnaryReactor* IssueCertificate(const CallContext& context, const AskedForOne& asked,
                                             v1::IssueCertificateResponse* response);

  CallRunner* const calls_;
  IssueDesk desk_;
  IssueStreams streams_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ISSUER_SERVICE_H_
