// The gRPC methods of rotation: where it stands, what comes next, and the relying parties that it
// waits for.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ROTATION_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ROTATION_SERVICE_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/rotation.grpc.pb.h"
#include "issuance/authorities/tenants.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/rotation/rotation_planner.h"
#include "issuance/rotation/tenant_turns.h"
#include "issuance/rotation/trust_bundles.h"
#include "issuance/store/store.h"

namespace hourglass::issuance {

// v1::RotationService over the planner, the administration of roots and the store.
class RotationService final : public UnaryService<v1::RotationService> {
 public:
  // What it works with; all must outlive it.
  struct Means {
    Store* store;
    RootAdministration* roots;
    const Tenants* tenants;
    TrustBundles* bundles;
    const Clock* clock;
    const EventLog* log;
  };

  RotationService(CallRunner* calls, const Means& means) : means_(means) {
    Serve(calls, this, "GetRotation", &RotationService::GetRotation);
    Serve(calls, this, "PlanRotation", &RotationService::PlanRotation);
    Serve(calls, this, "RegisterRelyingParty", &RotationService::RegisterRelyingParty);
    Serve(calls, this, "ListRelyingParties", &RotationService::ListRelyingParties);
    Serve(calls, this, "RemoveRelyingParty", &RotationService::RemoveRelyingParty);
    Serve(calls, this, "AttestRelyingParty", &RotationService::AttestRelyingParty);
  }

  // Tries the key of the newest STAGED root.
  absl::Status GetRotation(const Caller& caller, const v1::GetRotationRequest& request,
                           v1::Rotation* response);
  absl::Status PlanRotation(const Caller& caller, const v1::PlanRotationRequest& request,
                            v1::PlanRotationResponse* response);
  // What changes something is logged, as `relying_party_registered`, `_removed` and `_attested`.
  absl::Status RegisterRelyingParty(const Caller& caller,
                                    const v1::RegisterRelyingPartyRequest& request,
                                    v1::RelyingParty* response);
  absl::Status ListRelyingParties(const Caller& caller,
                                  const v1::ListRelyingPartiesRequest& request,
                                  v1::ListRelyingPartiesResponse* response);
  absl::Status RemoveRelyingParty(const Caller& caller,
                                  const v1::RemoveRelyingPartyRequest& request,
                                  v1::RelyingParty* response);
  absl::Status AttestRelyingParty(const Caller& caller,
                                  const v1::AttestRelyingPartyRequest& request,
                                  v1::RelyingParty* response);

 private:
  // Errors: TENANT_UNKNOWN.
  absl::StatusOr<RotationFacts> FactsOf(absl::string_view tenant_id);
  const RotationPolicy& PolicyOf(absl::string_view tenant_id) const {
    return means_.tenants->Issuing(tenant_id).rotation;
  }

  const Means means_;
  TenantTurns registrations_;  // so that those of one tenant are counted one by one
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ROTATION_SERVICE_H_
