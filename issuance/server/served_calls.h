// Part of the running service: every method, and the calls of them.
#ifndef HOURGLASS_ISSUANCE_SERVER_SERVED_CALLS_H_
#define HOURGLASS_ISSUANCE_SERVER_SERVED_CALLS_H_

#include <grpcpp/server_builder.h>

#include <chrono>

#include "issuance/calls/call_pool.h"
#include "issuance/calls/call_runner.h"
#include "issuance/config/config.h"
#include "issuance/decisions/refusal_keeper.h"
#include "issuance/edge/transport/open_calls.h"
#include "issuance/identity/caller.h"
#include "issuance/log/event_log.h"
#include "issuance/server/issuing.h"
#include "issuance/server/served_services.h"
#include "issuance/server/service_counts.h"
#include "issuance/server/service_state.h"
#include "issuance/server/tenant_authorities.h"
#include "issuance/services/access/block_service.h"
#include "issuance/services/access/decision_service.h"
#include "issuance/services/access/device_key_service.h"
#include "issuance/services/access/directory_service.h"
#include "issuance/services/access/policy_service.h"
#include "issuance/services/clock_service.h"
#include "issuance/services/compliance_service.h"
#include "issuance/services/device_service.h"
#include "issuance/services/issuer_service.h"
#include "issuance/services/journal_service.h"
#include "issuance/services/key_service.h"
#include "issuance/services/root_service.h"
#include "issuance/services/rotation_service.h"
#include "issuance/services/service_status_service.h"
#include "issuance/services/tenant_service.h"
#include "issuance/services/trust_bundle_service.h"
#include "issuance/tokens/tenant_tokens.h"

namespace hourglass::issuance {

// All gRPC services of hourglassd.
class ServedCalls final : public ServedServices {
 public:
  // What calls are about; all must outlive this object.
  struct Subjects {
    const CallerDirectory* callers;
    ServiceState* state;
    TenantAuthorities* authorities;
    Issuing* issuing;
    ServiceCounts* counts;
    const TokensByTenant* tokens;
    const EventLog* log;
  };

  // Takes no calls before RegisterWith.
  ServedCalls(const Config& config, const Subjects& subjects);

  void RegisterWith(grpc::ServerBuilder& builder) override;
  OpenCalls* open_calls() override { return &open_calls_; }
  void StopTakingCalls(std::chrono::milliseconds grace) override;

 private:
  // Each uses those before it.
  CallPool pool_;
  OpenCalls open_calls_;
  CallRunner calls_;
  RefusalKeeper refusals_;
  IssuerService issuer_service_;
  TrustBundleService trust_bundle_service_;
  ComplianceService compliance_service_;
  TenantService tenant_service_;
  RootService root_service_;
  RotationService rotation_service_;
  KeyService key_service_;
  JournalService journal_service_;
  DeviceService device_service_;
  PolicyService policy_service_;
  BlockService block_service_;
  DeviceKeyService device_key_service_;
  DirectoryService directory_service_;
  DecisionService decision_service_;
  ClockService clock_service_;
  ServiceStatusService status_service_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_SERVED_CALLS_H_
