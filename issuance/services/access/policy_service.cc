#include "issuance/services/access/policy_service.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/compliance/tenant_policies.h"
#include "issuance/services/access/policy_mapper.h"
#include "issuance/store/page.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxPolicyIdSize = 128;
constexpr std::size_t kMaxDocumentSize = 3 * 1024 * 1024;
constexpr int kTries = 5;

absl::Status CheckPolicyId(const std::string& id) {
  return CheckId(id, kMaxPolicyIdSize, "policy_id");
}

absl::Status CheckOptionalReason(const std::string& reason) {
  return reason.empty() ? absl::OkStatus() : CheckReason(reason, "reason");
}

absl::StatusOr<PolicyRecord> Find(const PolicySet& set, const std::string& id) {
  for (const PolicyRecord& record : set.policies) {
    if (record.policy_id == id) return record;
  }
  return Error(ErrorReason::kPolicyUnknown, "policy_id", "the tenant has no policy of this id");
}

bool IsSame(const PolicyRecord& a, const PolicyRecord& b) {
  return a.kind == b.kind && a.display_name == b.display_name && a.state == b.state &&
         a.document == b.document;
}

// The policies as they would be then.
absl::StatusOr<PolicySet> After(const PolicySet& there, const std::vector<PolicyRecord>& put,
                                v1::ImportPoliciesResponse* response) {
  PolicySet after = there;
  for (const PolicyRecord& record : put) {
    const auto same =
        std::find_if(after.policies.begin(), after.policies.end(), [&](const PolicyRecord& other) {
          return absl::EqualsIgnoreCase(other.policy_id, record.policy_id);
        });
    if (same == after.policies.end()) {
      response->add_created(record.policy_id);
      after.policies.push_back(record);
    } else if (same->policy_id != record.policy_id) {
      return Error(ErrorReason::kFieldInvalid, "document",
                   absl::StrCat("has the id ", record.policy_id, ", and the tenant has ",
                                same->policy_id, " already"));
    } else if (IsSame(*same, record)) {
      response->add_unchanged(record.policy_id);
    } else {
      response->add_changed(record.policy_id);
      *same = record;
    }
  }
  return after;
}

absl::Status CheckImport(const v1::ImportPoliciesRequest& request) {
  if (request.document().empty()) {
    return Error(ErrorReason::kFieldMissing, "document", "is required");
  }
  if (request.document().size() > kMaxDocumentSize) {
    return Error(ErrorReason::kFieldInvalid, "document",
                 absl::StrCat("has more than ", kMaxDocumentSize, " octets"));
  }
  return CheckOptionalReason(request.reason());
}

absl::Status CheckUser(const v1::WhatIfRequest& request) {
  if (request.user_id().empty() && request.user_upn().empty()) {
    return Error(ErrorReason::kFieldMissing, "user_upn", "the user's id or UPN is required");
  }
  if (!request.user_id().empty()) {
    RETURN_IF_ERROR(CheckId(request.user_id(), kMaxUserIdSize, "user_id"));
  }
  return CheckUpnText(request.user_upn(), "user_upn");
}

void PutOutcomes(const ComplianceEngine::Explanation& explanation, v1::WhatIfResponse* response) {
  if (!explanation.judgement.has_value()) return;
  std::vector<access::PolicyResult> results = explanation.policies->access->unconcerned();
  const auto& concerned = explanation.judgement->decision.results;
  results.insert(results.end(), concerned.begin(), concerned.end());
  std::stable_sort(results.begin(), results.end(),
                   [](const auto& a, const auto& b) { return a.policy->id < b.policy->id; });
  for (const access::PolicyResult& result : results) *response->add_policies() = ToProto(result);
}

void PutCompliance(const ComplianceEngine::Explanation& explanation, const AccessConfig& config,
                   v1::WhatIfResponse* response) {
  if (!explanation.judgement.has_value()) {
    response->set_device_compliance(explanation.reasons.empty() ? "compliant" : "noncompliant");
    return;
  }
  const access::ComplianceResult& compliance = explanation.judgement->compliance;
  response->set_device_compliance(explanation.judgement->has_report
                                      ? std::string(access::GraphName(compliance.state))
                                      : "unknown");
  for (const access::UnmetSetting& setting : compliance.unmet) {
    v1::DenyReason& unmet = *response->add_unmet_settings();
    unmet.set_setting(setting.setting);
    unmet.set_message(setting.policy_name.empty()
                          ? setting.message
                          : absl::StrCat(setting.message, " (\"", setting.policy_name, "\")"));
    unmet.set_remediation_url(RemediationUrl(config, setting.setting));
  }
}

}  // namespace

const access::AccessOptions& PolicyService::OptionsOf(const std::string& tenant_id) const {
  static const auto* const kDefaults = new access::AccessOptions();
  const auto found = means_.access.find(tenant_id);
  return found != means_.access.end() ? found->second.options : *kDefaults;
}

absl::StatusOr<PolicySet> PolicyService::PoliciesOf(const std::string& tenant_id) const {
  RETURN_IF_ERROR(means_.tenants->GetTenant(tenant_id).status());
  return means_.policies->ListPolicies(tenant_id);
}

absl::StatusOr<std::uint64_t> PolicyService::Make(const Caller& caller,
                                                  const std::string& tenant_id,
                                                  std::uint64_t expected_revision,
                                                  const std::string& reason, const Planner& plan) {
  for (int tries = 1;; ++tries) {
    ASSIGN_OR_RETURN(const PolicySet there, PoliciesOf(tenant_id));
    if (expected_revision != 0 && expected_revision != there.revision) {
      return Error(ErrorReason::kPoliciesChanged, "expected_revision",
                   absl::StrCat("the tenant's policies are at revision ", there.revision));
    }
    ASSIGN_OR_RETURN(const Change change, plan(there));
    const absl::StatusOr<std::uint64_t> revision =
        means_.policies->ChangePolicies(tenant_id, there.revision, change.put, change.deleted,
                                        {means_.clock->Now(), caller.name, reason});
    const bool again = ReasonOf(revision.status()) == ErrorReason::kPoliciesChanged &&
                       expected_revision == 0 && tries < kTries;
    if (!again) return revision;
  }
}

absl::Status PolicyService::ImportPolicies(const Caller& caller,
                                           const v1::ImportPoliciesRequest& request,
                                           v1::ImportPoliciesResponse* response) {
  RETURN_IF_ERROR(CheckImport(request));
  ASSIGN_OR_RETURN(PolicyImport import,
                   ReadPolicyImport(request.document(), request.as_report_only()));
  for (PolicyRecord& record : import.records) record.tenant_id = request.tenant_id();
  const access::AccessOptions& options = OptionsOf(request.tenant_id());
  const Planner plan = [&](const PolicySet& there) -> absl::StatusOr<Change> {
    response->Clear();
    response->set_revision(there.revision);
    response->mutable_notices()->Assign(import.notices.begin(), import.notices.end());
    ASSIGN_OR_RETURN(const PolicySet after, After(there, import.records, response));
    const auto prepared = PrepareTenantPolicies(after, options);
    if (!prepared.ok()) {
      return Error(ErrorReason::kFieldInvalid, "document", prepared.status().message());
    }
    const std::vector<access::NamedLocation> locations = LocationsOf(after.policies);
    for (const PolicyRecord& record : import.records) {
      for (v1::PolicyNotice& notice : MissingOf(record, locations, options)) {
        *response->add_notices() = std::move(notice);
      }
    }
    return Change{import.records, {}};
  };
  if (request.dry_run()) {
    ASSIGN_OR_RETURN(const PolicySet there, PoliciesOf(request.tenant_id()));
    return plan(there).status();
  }
  ASSIGN_OR_RETURN(
      const std::uint64_t revision,
      Make(caller, request.tenant_id(), request.expected_revision(), request.reason(), plan));
  response->set_revision(revision);
  means_.log->Info("policies_imported", {{"tenant", request.tenant_id()},
                                         {"created", absl::StrCat(response->created_size())},
                                         {"changed", absl::StrCat(response->changed_size())},
                                         {"revision", absl::StrCat(revision)},
                                         {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status PolicyService::ListPolicies(const Caller&, const v1::ListPoliciesRequest& request,
                                         v1::ListPoliciesResponse* response) {
  ASSIGN_OR_RETURN(const PolicySet set, PoliciesOf(request.tenant_id()));
  response->set_revision(set.revision);
  const std::vector<access::NamedLocation> locations = LocationsOf(set.policies);
  for (const PolicyRecord& record : set.policies) {
    v1::Policy& policy = *response->add_policies();
    policy = ToProto(record);
    policy.clear_document();
    const auto notices = NoticesOf(record, locations, OptionsOf(request.tenant_id()));
    policy.mutable_notices()->Assign(notices.begin(), notices.end());
  }
  return absl::OkStatus();
}

absl::Status PolicyService::GetPolicy(const Caller&, const v1::GetPolicyRequest& request,
                                      v1::Policy* response) {
  RETURN_IF_ERROR(CheckPolicyId(request.policy_id()));
  ASSIGN_OR_RETURN(const PolicySet set, PoliciesOf(request.tenant_id()));
  ASSIGN_OR_RETURN(const PolicyRecord record, Find(set, request.policy_id()));
  *response = ToProto(record);
  const auto notices = NoticesOf(record, LocationsOf(set.policies), OptionsOf(request.tenant_id()));
  response->mutable_notices()->Assign(notices.begin(), notices.end());
  return absl::OkStatus();
}

absl::Status PolicyService::ListPolicyVersions(const Caller&,
                                               const v1::ListPolicyVersionsRequest& request,
                                               v1::ListPolicyVersionsResponse* response) {
  RETURN_IF_ERROR(CheckPolicyId(request.policy_id()));
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  RETURN_IF_ERROR(means_.tenants->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const Page<PolicyVersion> page,
                   means_.policies->ListPolicyVersions(request.tenant_id(), request.policy_id(),
                                                       page_size, request.page_token()));
  if (page.records.empty() && request.page_token().empty()) {
    return Error(ErrorReason::kPolicyUnknown, "policy_id",
                 "the tenant never had a policy of this id");
  }
  for (const PolicyVersion& version : page.records) {
    v1::PolicyVersion& made = *response->add_versions();
    *made.mutable_policy() = ToProto(version.policy);
    made.set_deleted(version.is_deleted);
    made.set_reason(version.reason);
  }
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

absl::Status PolicyService::SetPolicyState(const Caller& caller,
                                           const v1::SetPolicyStateRequest& request,
                                           v1::Policy* response) {
  RETURN_IF_ERROR(CheckPolicyId(request.policy_id()));
  RETURN_IF_ERROR(CheckOptionalReason(request.reason()));
  ASSIGN_OR_RETURN(const access::PolicyState state, FromProto(request.state()));
  const auto plan = [&](const PolicySet& there) -> absl::StatusOr<Change> {
    ASSIGN_OR_RETURN(const PolicyRecord record, Find(there, request.policy_id()));
    ASSIGN_OR_RETURN(PolicyRecord changed, WithState(record, state));
    return Change{{std::move(changed)}, {}};
  };
  RETURN_IF_ERROR(Make(caller, request.tenant_id(), 0, request.reason(), plan).status());
  v1::GetPolicyRequest made;
  made.set_tenant_id(request.tenant_id());
  made.set_policy_id(request.policy_id());
  RETURN_IF_ERROR(GetPolicy(caller, made, response));
  means_.log->Info("policy_state_set", {{"tenant", request.tenant_id()},
                                        {"policy", request.policy_id()},
                                        {"state", access::GraphName(state)},
                                        {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status PolicyService::DeletePolicy(const Caller& caller,
                                         const v1::DeletePolicyRequest& request,
                                         v1::DeletePolicyResponse* response) {
  RETURN_IF_ERROR(CheckPolicyId(request.policy_id()));
  RETURN_IF_ERROR(CheckOptionalReason(request.reason()));
  const auto plan = [&](const PolicySet& there) -> absl::StatusOr<Change> {
    ASSIGN_OR_RETURN(const PolicyRecord record, Find(there, request.policy_id()));
    if (record.kind == PolicyKind::kNamedLocation) {
      const auto user = UserOfLocation(there.policies, record.policy_id);
      if (user.has_value()) {
        return Error(ErrorReason::kFieldInvalid, "policy_id",
                     absl::StrCat("the policy \"", *user, "\" refers to this named location"));
      }
    }
    return Change{{}, {record.policy_id}};
  };
  ASSIGN_OR_RETURN(const std::uint64_t revision,
                   Make(caller, request.tenant_id(), 0, request.reason(), plan));
  response->set_revision(revision);
  means_.log->Info(
      "policy_deleted",
      {{"tenant", request.tenant_id()}, {"policy", request.policy_id()}, {"caller", caller.name}});
  return absl::OkStatus();
}

absl::Status PolicyService::WhatIf(const Caller&, const v1::WhatIfRequest& request,
                                   v1::WhatIfResponse* response) {
  RETURN_IF_ERROR(means_.tenants->GetTenant(request.tenant_id()).status());
  RETURN_IF_ERROR(CheckId(request.device_id(), kMaxDeviceIdSize, "device_id"));
  RETURN_IF_ERROR(CheckUser(request));
  ASSIGN_OR_RETURN(const access::SignInFacts sign_in, FromProto(request.sign_in()));
  Timestamp at;
  if (request.has_at()) {
    ASSIGN_OR_RETURN(at, FromProto(request.at(), "at"));
  } else {
    ASSIGN_OR_RETURN(at, DecidingTime(*means_.clock));
  }
  if (means_.engine == nullptr) {
    return Error(ErrorReason::kComplianceUnavailable, "",
                 "verdicts come from compliance.endpoint, which only says what is, not what if");
  }
  v1::EvaluateRequest question;
  question.set_tenant_id(request.tenant_id());
  question.set_user_id(request.user_id());
  question.set_user_upn(request.user_upn());
  question.set_device_id(request.device_id());
  ASSIGN_OR_RETURN(const ComplianceEngine::Explanation explanation,
                   means_.engine->Explain(question, sign_in, at));
  response->set_allowed(explanation.reasons.empty());
  response->mutable_reasons()->Assign(explanation.reasons.begin(), explanation.reasons.end());
  response->set_policy_version(explanation.policy_version);
  PutOutcomes(explanation, response);
  PutCompliance(explanation, means_.engine->ConfigOf(request.tenant_id()), response);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
