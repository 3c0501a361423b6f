// The gRPC methods of policies: conditional access and device compliance.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_POLICY_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_POLICY_SERVICE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hourglass/v1/policies.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/read_message.h"
#include "issuance/calls/unary_service.h"
#include "issuance/compliance/engine.h"
#include "issuance/config/access_config.h"
#include "issuance/edge/transport/message_size.h"
#include "issuance/log/event_log.h"
#include "issuance/store/access_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// With room for the fields beside the document.
template <>
inline constexpr MessageBounds kBoundsOf<v1::ImportPoliciesRequest>{kMaxImportSize, 100};

// v1::PolicyService over the store and the engine.
class PolicyService final : public UnaryService<v1::PolicyService> {
 public:
  // What it works with; all that is pointed to must outlive it.
  struct Means {
    TenantStore* tenants;
    PolicyStore* policies;
    ComplianceEngine* engine;                    // null where verdicts come from another service
    std::map<std::string, AccessConfig> access;  // of tenants
    const Clock* clock;
    const EventLog* log;
  };

  PolicyService(CallRunner* calls, Means means) : means_(std::move(means)) {
    Serve(calls, this, "ImportPolicies", &PolicyService::ImportPolicies);
    Serve(calls, this, "ListPolicies", &PolicyService::ListPolicies);
    Serve(calls, this, "GetPolicy", &PolicyService::GetPolicy);
    Serve(calls, this, "ListPolicyVersions", &PolicyService::ListPolicyVersions);
    Serve(calls, this, "SetPolicyState", &PolicyService::SetPolicyState);
    Serve(calls, this, "DeletePolicy", &PolicyService::DeletePolicy);
    Serve(calls, this, "WhatIf", &PolicyService::WhatIf);
  }

  // What changes something is logged, as `policies_imported` with how many, `policy_state_set` and
  // `policy_deleted`. Whatever is refused changes nothing; so does an import after which the
  // tenant's policies could not be prepared.
  absl::Status ImportPolicies(const Caller& caller, const v1::ImportPoliciesRequest& request,
                              v1::ImportPoliciesResponse* response);
  absl::Status ListPolicies(const Caller& caller, const v1::ListPoliciesRequest& request,
                            v1::ListPoliciesResponse* response);
  absl::Status GetPolicy(const Caller& caller, const v1::GetPolicyRequest& request,
                         v1::Policy* response);
  absl::Status ListPolicyVersions(const Caller& caller,
                                  const v1::ListPolicyVersionsRequest& request,
                                  v1::ListPolicyVersionsResponse* response);
  absl::Status SetPolicyState(const Caller& caller, const v1::SetPolicyStateRequest& request,
                              v1::Policy* response);
  absl::Status DeletePolicy(const Caller& caller, const v1::DeletePolicyRequest& request,
                            v1::DeletePolicyResponse* response);
  absl::Status WhatIf(const Caller& caller, const v1::WhatIfRequest& request,
                      v1::WhatIfResponse* response);

 private:
  // What a change is made of, once the policies that there are are known.
  struct Change {
    std::vector<PolicyRecord> put;
    std::vector<std::string> deleted;
  };
  using Planner = std::function<absl::StatusOr<Change>(const PolicySet& there)>;

  // Plans and makes the change; again where others changed something meanwhile, unless the caller
  // has said what he saw. Returns the revision after it.
  absl::StatusOr<std::uint64_t> Make(const Caller& caller, const std::string& tenant_id,
                                     std::uint64_t expected_revision, const std::string& reason,
                                     const Planner& plan);
  absl::StatusOr<PolicySet> PoliciesOf(const std::string& tenant_id) const;
  const access::AccessOptions& OptionsOf(const std::string& tenant_id) const;

  const Means means_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_POLICY_SERVICE_H_
