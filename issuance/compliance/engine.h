// The embedded compliance engine: who asks, and with which device, against the tenant's policies.
#ifndef HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_
#define HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/compliance.pb.h"
#include "issuance/access/facts.h"
#include "issuance/access/lenience.h"
#include "issuance/base/clock.h"
#include "issuance/base/entropy.h"
#include "issuance/compliance/access_judge.h"
#include "issuance/compliance/blocks.h"
#include "issuance/compliance/policy_files.h"
#include "issuance/compliance/tenant_policies.h"
#include "issuance/config/access_config.h"
#include "issuance/log/event_log.h"
#include "issuance/store/access_store.h"

namespace hourglass::issuance {

// Safe to call from several threads.
class ComplianceEngine {
 public:
  // The policies of the store, and what tenants take for granted beside them.
  struct Access {
    PolicyStore* store = nullptr;  // must outlive the engine
    std::map<std::string, AccessConfig> tenants = {};
  };

  // Policies are the files `TENANT_ID.yaml` in `policy_directory`, read again when they change, and
  // those of `access.store`, read again when their revision does; where that is null a tenant that
  // ever had any there gets no verdict. What is wrong with one is an event `policy_unreadable` of
  // `log`, and a report-only policy that would have denied one `report_only_policy`. `store` and
  // `clock` must outlive this object.
  ComplianceEngine(std::string policy_directory, DecisionFactsStore* store, const Clock* clock,
                   EventLog log, Access access);
  ComplianceEngine(std::string policy_directory, DecisionFactsStore* store, const Clock* clock,
                   EventLog log = EventLog::Silent())
      : ComplianceEngine(std::move(policy_directory), store, clock, std::move(log), Access()) {}

  // A verdict for every sound question: what is blocked (issuance/compliance/blocks.h), no policy,
  // a policy with mistakes, an unknown device, a stale report, an unknown or a refused setting, a
  // control that is missing are denies that say so. Errors, for which there is no verdict:
  // FIELD_MISSING or FIELD_INVALID for an unsound question, COMPLIANCE_UNAVAILABLE where policies
  // could not be read, CLOCK_UNTRUSTED, JOURNAL_UNAVAILABLE, INTERNAL_ERROR. `sid`, which may be
  // null, gets the DirectorySid of the same read, unless the question is unsound or the store
  // cannot be read.
  absl::StatusOr<v1::Verdict> Evaluate(const v1::EvaluateRequest& request,
                                       std::string* sid = nullptr);

  // How a verdict comes about.
  struct Explanation {
    std::vector<v1::DenyReason> reasons;  // empty of an allowance
    std::string policy_version;
    // Of the store; null where they cannot be prepared.
    std::shared_ptr<const TenantPolicies> policies;
    // None where it did not come to that; refers to `policies`.
    std::optional<AccessJudgement> judgement;
    // False where all are denied since there are no policies, or some cannot be read.
    bool has_policies = true;
  };

  // What the verdict would be as of `now` for who signs in like this. Tells all, also of a device
  // that is blocked. `question` need not have a nonce. Errors as Evaluate, but of the clock.
  absl::StatusOr<Explanation> Explain(const v1::EvaluateRequest& question,
                                      const access::SignInFacts& sign_in, Timestamp now);

  // What stands against the question's user as of `now` if `report` is the device's, and does not
  // by the report that there is: of each setting the first reason. How the user signed in counts as
  // not known in both. Empty of who is blocked, which no report changes. Errors as Explain.
  absl::StatusOr<std::vector<v1::DenyReason>> NewReasons(const v1::EvaluateRequest& question,
                                                         const DeviceRecord& report, Timestamp now);

  // What stands against somebody who was issued a certificate, and signed in then in a way that is
  // not known now.
  struct Standing {
    // Whatever that was.
    std::vector<v1::DenyReason> certain;
    // By the groups that the directory has of him, of which his token may have had others; beside
    // those of `certain`.
    std::vector<v1::DenyReason> by_directory;
  };

  // As of `now`. A `question` with `sign_in`, of which nothing counts, is of somebody who was known
  // by an access token; where a broker said who he is, nothing was known of how he signed in, and
  // all is certain. Nothing stands against who is blocked, which is told when it happens, and where
  // a tenant has no policies or some cannot be read: what nobody meant is no reason to end
  // connections. Errors as Explain.
  absl::StatusOr<Standing> Review(const v1::EvaluateRequest& question, Timestamp now);

  const AccessConfig& ConfigOf(absl::string_view tenant_id) const {
    return cache_.ConfigOf(tenant_id);
  }

 private:
  // By the policies alone: blocks are not looked at.
  absl::StatusOr<Explanation> JudgePolicies(const v1::EvaluateRequest& question,
                                            const BlockFindings& found,
                                            const access::SignInFacts& sign_in, Timestamp now,
                                            const access::Lenience& lenience = {});
  absl::StatusOr<std::shared_ptr<const CompliancePolicy>> ReadFile(const std::string& tenant_id,
                                                                   Explanation* explanation);
  absl::Status ReadPolicies(const std::string& tenant_id, std::uint64_t revision,
                            Explanation* explanation);
  void LogReportOnly(const v1::EvaluateRequest& question, const Explanation& explanation) const;

  PolicyFiles files_;
  TenantPolicyCache cache_;
  DecisionFactsStore* const store_;
  const Clock* const clock_;
  const EventLog log_;
  SystemEntropy entropy_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_COMPLIANCE_ENGINE_H_
