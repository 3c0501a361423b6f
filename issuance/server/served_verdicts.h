// Part of hourglass-compliance: every method, and the calls of them.
#ifndef HOURGLASS_ISSUANCE_SERVER_SERVED_VERDICTS_H_
#define HOURGLASS_ISSUANCE_SERVER_SERVED_VERDICTS_H_

#include <grpcpp/server_builder.h>

#include <chrono>

#include "issuance/calls/call_pool.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/issuance_counters.h"
#include "issuance/compliance/engine.h"
#include "issuance/config/config.h"
#include "issuance/edge/transport/open_calls.h"
#include "issuance/identity/caller.h"
#include "issuance/log/event_log.h"
#include "issuance/server/served_services.h"
#include "issuance/server/service_state.h"
#include "issuance/services/access/block_service.h"
#include "issuance/services/access/directory_service.h"
#include "issuance/services/access/policy_service.h"
#include "issuance/services/clock_service.h"
#include "issuance/services/device_service.h"
#include "issuance/services/service_status_service.h"
#include "issuance/services/tenant_service.h"
#include "issuance/services/verdict_service.h"

namespace hourglass::issuance {

// Verdicts, and the services by which the store gets what they are made of.
class ServedVerdicts final : public ServedServices {
 public:
  // What calls are about; all must outlive this object.
  struct Subjects {
    const CallerDirectory* callers;
    ServiceState* state;
    ComplianceEngine* engine;
    const EventLog* log;
  };

  // Takes no calls before RegisterWith.
  ServedVerdicts(const Config& config, const Subjects& subjects);

  void RegisterWith(grpc::ServerBuilder& builder) override;
  OpenCalls* open_calls() override { return &open_calls_; }
  void StopTakingCalls(std::chrono::milliseconds grace) override { calls_.StopTakingCalls(grace); }

 private:
  // Each uses those before it.
  IssuanceCounters failed_calls_;
  CallPool pool_;
  OpenCalls open_calls_;
  CallRunner calls_;
  VerdictService verdict_service_;
  TenantService tenant_service_;
  DeviceService device_service_;
  PolicyService policy_service_;
  BlockService block_service_;
  DirectoryService directory_service_;
  ClockService clock_service_;
  ServiceStatusService status_service_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVER_SERVED_VERDICTS_H_
