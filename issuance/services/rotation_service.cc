#include "issuance/services/rotation_service.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/rotation/tenant_quota.h"
#include "issuance/services/record_mapper.h"
#include "issuance/services/rotation_mapper.h"
#include "issuance/store/store_rules.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

constexpr std::size_t kMaxKindSize = 64;
constexpr std::chrono::seconds kLongestHorizon = std::chrono::hours(24 * 366 * 30);

absl::Status CheckName(const std::string& name) {
  return CheckId(name, kMaxRelyingPartyNameSize, "name");
}

absl::StatusOr<RelyingPartyRecord> PartyOf(const v1::RegisterRelyingPartyRequest& request) {
  RETURN_IF_ERROR(CheckName(request.name()));
  if (!request.manual()) {
    RETURN_IF_ERROR(CheckCallerName(request.identity(), "identity"));
  } else if (!request.identity().empty()) {
    return Error(ErrorReason::kFieldInvalid, "identity",
                 "must be empty for one that is manual: no caller speaks for it");
  }
  if (!request.kind().empty()) RETURN_IF_ERROR(CheckId(request.kind(), kMaxKindSize, "kind"));
  RelyingPartyRecord party;
  party.tenant_id = request.tenant_id();
  party.name = request.name();
  party.identity = request.identity();
  party.kind = request.kind();
  party.is_manual = request.manual();
  return party;
}

absl::StatusOr<RelyingPartyRecord> FindByName(const std::vector<RelyingPartyRecord>& parties,
                                              absl::string_view name) {
  const auto found =
      std::find_if(parties.begin(), parties.end(),
                   [name](const RelyingPartyRecord& party) { return party.name == name; });
  if (found == parties.end()) return RelyingPartyUnknown();
  return *found;
}

const RootRecord* NewestStaged(const std::vector<RootRecord>& roots) {
  const auto found = std::find_if(roots.rbegin(), roots.rend(), [](const RootRecord& root) {
    return root.state == ca::RootState::kStaged;
  });
  return found == roots.rend() ? nullptr : &*found;
}

// Until when a plan is asked for.
absl::StatusOr<ca::Time> EndOf(const v1::PlanRotationRequest& request, const RotationFacts& facts) {
  if (!request.has_horizon()) {
    ca::Time end = facts.now;
    for (const RootRecord& root : facts.roots) {
      if (ca::InTrustBundle(root.state)) end = std::max(end, root.not_after);
    }
    return std::min(end, facts.now + kLongestHorizon);
  }
  const std::int64_t seconds = request.horizon().seconds();
  if (request.horizon().nanos() != 0 || seconds < 0 || seconds > kLongestHorizon.count()) {
    return Error(ErrorReason::kFieldInvalid, "horizon",
                 "must be in whole seconds, and at most 30 years");
  }
  return facts.now + std::chrono::seconds(seconds);
}

void LogParty(const EventLog& log, absl::string_view event, const Caller& caller,
              const RelyingPartyRecord& party, absl::string_view why) {
  log.Info(event, {{"tenant", party.tenant_id},
                   {"relying_party", party.name},
                   {"identity", party.identity},
                   {"version", absl::StrCat(party.acknowledged_version)},
                   {"why", why},
                   {"caller", caller.name}});
}

}  // namespace

absl::StatusOr<RotationFacts> RotationService::FactsOf(absl::string_view tenant_id) {
  RotationFacts facts;
  ASSIGN_OR_RETURN(facts.roots, means_.store->ListRoots(tenant_id));
  ASSIGN_OR_RETURN(facts.relying_parties, means_.store->ListRelyingParties(tenant_id));
  facts.leaf_lifetime = means_.tenants->Issuing(tenant_id).profile.lifetime;
  facts.now = std::chrono::floor<std::chrono::seconds>(means_.clock->Now());
  return facts;
}

absl::Status RotationService::GetRotation(const Caller&, const v1::GetRotationRequest& request,
                                          v1::Rotation* response) {
  const std::string& tenant_id = request.tenant_id();
  ASSIGN_OR_RETURN(const TenantRecord tenant, means_.store->GetTenant(tenant_id));
  ASSIGN_OR_RETURN(const RotationFacts facts, FactsOf(tenant_id));
  response->set_tenant_id(tenant_id);
  response->set_bundle_version(tenant.revision);
  for (const RootRecord& root : facts.roots) {
    if (ca::InTrustBundle(root.state)) *response->add_roots() = ToProto(root);
  }
  for (const RelyingPartyRecord& party : facts.relying_parties) {
    *response->add_relying_parties() = ToProto(party);
  }
  const RotationPolicy& policy = PolicyOf(tenant_id);
  *response->mutable_policy() = ToProto(policy);
  const std::optional<RotationStep> next = NextStep(facts, policy);
  if (next.has_value()) *response->mutable_next_step() = ToProto(*next);
  const RootRecord* const staged = NewestStaged(facts.roots);
  if (staged == nullptr) return absl::OkStatus();
  const auto obstacles = means_.roots->Obstacles(tenant_id, staged->root_id);
  // It was promoted or discarded meanwhile: nothing is in the way of what is not asked for any
  // more.
  if (ReasonOf(obstacles.status()) == ErrorReason::kRootMoveIllegal) return absl::OkStatus();
  RETURN_IF_ERROR(obstacles.status());
  for (const PromotionObstacle& obstacle : *obstacles) {
    *response->add_obstacles() = ToProto(obstacle);
  }
  return absl::OkStatus();
}

absl::Status RotationService::PlanRotation(const Caller&, const v1::PlanRotationRequest& request,
                                           v1::PlanRotationResponse* response) {
  const std::string& tenant_id = request.tenant_id();
  RETURN_IF_ERROR(means_.store->GetTenant(tenant_id).status());
  ASSIGN_OR_RETURN(const RotationFacts facts, FactsOf(tenant_id));
  ASSIGN_OR_RETURN(const ca::Time end, EndOf(request, facts));
  const RotationPolicy& policy = PolicyOf(tenant_id);
  *response->mutable_policy() = ToProto(policy);
  for (const RotationStep& step : PlanSteps(facts, policy, end)) {
    *response->add_steps() = ToProto(step);
  }
  return absl::OkStatus();
}

absl::Status RotationService::RegisterRelyingParty(const Caller& caller,
                                                   const v1::RegisterRelyingPartyRequest& request,
                                                   v1::RelyingParty* response) {
  ASSIGN_OR_RETURN(RelyingPartyRecord party, PartyOf(request));
  const TenantTurns::Turn turn = registrations_.Take(party.tenant_id);
  RETURN_IF_ERROR(CheckRelyingPartyQuota(*means_.store, party.tenant_id));
  const Timestamp now = means_.clock->Now();
  RETURN_IF_ERROR(
      means_.store->AddRelyingParty(party, ChangeCause{.now = now, .caller = caller.name}));
  party.registered_at = now;
  LogParty(*means_.log, "relying_party_registered", caller, party, "");
  *response = ToProto(party);
  return absl::OkStatus();
}

absl::Status RotationService::ListRelyingParties(const Caller&,
                                                 const v1::ListRelyingPartiesRequest& request,
                                                 v1::ListRelyingPartiesResponse* response) {
  RETURN_IF_ERROR(means_.store->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const std::vector<RelyingPartyRecord> parties,
                   means_.store->ListRelyingParties(request.tenant_id()));
  for (const RelyingPartyRecord& party : parties) {
    *response->add_relying_parties() = ToProto(party);
  }
  return absl::OkStatus();
}

absl::Status RotationService::RemoveRelyingParty(const Caller& caller,
                                                 const v1::RemoveRelyingPartyRequest& request,
                                                 v1::RelyingParty* response) {
  RETURN_IF_ERROR(CheckName(request.name()));
  RETURN_IF_ERROR(CheckReason(request.reason(), "reason"));
  RETURN_IF_ERROR(means_.store->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(
      const RelyingPartyRecord party,
      means_.store->RemoveRelyingParty(request.tenant_id(), request.name(),
                                       {means_.clock->Now(), caller.name, request.reason()}));
  LogParty(*means_.log, "relying_party_removed", caller, party, request.reason());
  *response = ToProto(party);
  return absl::OkStatus();
}

absl::Status RotationService::AttestRelyingParty(const Caller& caller,
                                                 const v1::AttestRelyingPartyRequest& request,
                                                 v1::RelyingParty* response) {
  const std::string& tenant_id = request.tenant_id();
  RETURN_IF_ERROR(CheckName(request.name()));
  if (request.version() == 0) return Error(ErrorReason::kFieldMissing, "version", "is required");
  RETURN_IF_ERROR(CheckReason(request.reason(), "reason"));
  RETURN_IF_ERROR(means_.store->GetTenant(tenant_id).status());
  ASSIGN_OR_RETURN(const std::vector<RelyingPartyRecord> parties,
                   means_.store->ListRelyingParties(tenant_id));
  ASSIGN_OR_RETURN(const RelyingPartyRecord before, FindByName(parties, request.name()));
  if (!before.is_manual) {
    return Error(ErrorReason::kFieldInvalid, "name",
                 absl::StrCat("is of a relying party that speaks for itself, as ", before.identity,
                              ": nobody else can say what it trusts"));
  }
  ASSIGN_OR_RETURN(const std::shared_ptr<const SignedTrustBundle> bundle,
                   means_.bundles->Get(tenant_id));
  const Acknowledgement acknowledgement = {.tenant_id = tenant_id,
                                           .name = request.name(),
                                           .identity = "",  // it is manual
                                           .version = request.version(),
                                           .document_sha256 = bundle->document_sha256};
  // The document is that of this version and of no other.
  RETURN_IF_ERROR(CheckAcknowledgement(before, bundle->version, acknowledgement));
  ASSIGN_OR_RETURN(const RelyingPartyRecord party,
                   means_.store->Acknowledge(acknowledgement,
                                             {means_.clock->Now(), caller.name, request.reason()}));
  // Said again, nothing is recorded.
  if (party != before) {
    LogParty(*means_.log, "relying_party_attested", caller, party, request.reason());
  }
  *response = ToProto(party);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
