// Which root becomes the primary, and what is in the way of it.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/rotation/root_administration.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

using Kind = PromotionObstacle::Kind;

absl::Status MoveIllegal(absl::string_view message) {
  return Error(ErrorReason::kRootMoveIllegal, "root_id", message);
}

bool HasPrimary(const std::vector<RootRecord>& roots) {
  return std::any_of(roots.begin(), roots.end(),
                     [](const RootRecord& root) { return root.state == ca::RootState::kPrimary; });
}

// The root that was primary before the present one is the only one to go back to. Which that is
// says the order of the changes, and no clock.
absl::Status CheckWasPrimaryLast(const RootRecord& root, const std::vector<RootRecord>& roots) {
  const RootRecord* last = nullptr;
  for (const RootRecord& one : roots) {
    if (one.state != ca::RootState::kRetiring) continue;
    if (last == nullptr || last->state_revision < one.state_revision) last = &one;
  }
  if (last == nullptr) {
    return MoveIllegal("no root of the tenant is RETIRING: there is none to roll back to");
  }
  if (last->root_id == root.root_id) return absl::OkStatus();
  return MoveIllegal(absl::StrCat("cannot roll back to a root that is ",
                                  ca::RootStateName(root.state), "; ", last->root_id,
                                  " became RETIRING last, and is the one to roll back to"));
}

// Whether it would be a step forward again, to a root that was gone back from.
bool GoesForward(const RootRecord& root, const std::vector<RootRecord>& roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const RootRecord& other) {
    return other.state == ca::RootState::kPrimary && other.generation < root.generation;
  });
}

// Whether it says something of the root's key, and not of the service or its configuration.
bool IsOfTheKey(const absl::Status& trial) {
  const ErrorReason reason = ReasonOf(trial);
  return reason != ErrorReason::kSubKeyNotAllowed && reason != ErrorReason::kInternalError &&
         reason != ErrorReason::kUnspecified;
}

}  // namespace

absl::StatusOr<RootAdministration::Candidate> RootAdministration::CandidateOf(
    absl::string_view tenant_id, absl::string_view root_id) {
  Candidate candidate;
  // The tenant before its roots: if a change comes between, the revision is too old, never too new.
  ASSIGN_OR_RETURN(candidate.tenant, store_->GetTenant(tenant_id));
  ASSIGN_OR_RETURN(candidate.root, store_->GetRoot(tenant_id, root_id));
  ASSIGN_OR_RETURN(candidate.roots, store_->ListRoots(tenant_id));
  return candidate;
}

absl::Status RootAdministration::CheckMayBePrimary(const RootRecord& root,
                                                   ca::RootMove move) const {
  ca::RootFacts facts = FactsOf(root);
  // An emergency may not wait for a clock. Should the root have expired, its leaves are refused.
  if (!DecidingTime(*clock_).ok()) facts.now = std::min(facts.now, root.not_after);
  return ca::StateAfter(facts, move).status();
}

absl::StatusOr<RootAdministration::Acceptance> RootAdministration::AcceptanceOf(
    const Candidate& candidate, const PromotionOrder& order) {
  Acceptance acceptance;
  // A tenant's first primary cuts nobody off; and nobody could acknowledge it, since nobody can
  // check a bundle that no primary has signed.
  if (!HasPrimary(candidate.roots)) return acceptance;
  ASSIGN_OR_RETURN(const std::vector<RelyingPartyRecord> parties,
                   store_->ListRelyingParties(order.tenant_id));
  const bool all_pass = tenants_->Issuing(order.tenant_id).rotation.waive_acknowledgements ||
                        !order.override_reason.empty();
  acceptance.is_awaited = !all_pass;
  acceptance.may_be_nobody = order.without_relying_parties;
  for (PromotionObstacle& obstacle : AcknowledgementObstacles(candidate.root, parties)) {
    const bool nobody_is_there = obstacle.kind == Kind::kNoRelyingParty;
    if (all_pass || (nobody_is_there && order.without_relying_parties)) {
      acceptance.overrides = true;
    } else {
      acceptance.in_the_way.push_back(std::move(obstacle));
    }
  }
  return acceptance;
}

std::vector<PromotionObstacle> RootAdministration::FaultsOf(const RootRecord& root,
                                                            const absl::Status& trial) const {
  std::vector<PromotionObstacle> faults;
  // By a clock that leapt, any root has ended.
  const absl::StatusOr<Timestamp> now = DecidingTime(*clock_);
  if (now.ok()) {
    faults = TimeObstacles(root, std::chrono::floor<std::chrono::seconds>(*now),
                           tenants_->Issuing(root.tenant_id).profile.lifetime);
  }
  if (trial.ok()) return faults;
  const bool is_too_short = ReasonOf(trial) == ErrorReason::kRootExpiring;
  const bool is_known = is_too_short && std::any_of(faults.begin(), faults.end(), [](auto& fault) {
                          return fault.kind == Kind::kEndsTooSoon;
                        });
  if (is_known) return faults;
  faults.push_back({is_too_short ? Kind::kEndsTooSoon : Kind::kKeyCannotSign, "",
                    absl::StrCat(ErrorReasonName(ReasonOf(trial)), ": ", trial.message())});
  return faults;
}

absl::Status RootAdministration::CheckNothingBlocks(const RootRecord& root,
                                                    std::vector<PromotionObstacle> others) {
  // Makes a signature over a text that is no certificate, and verifies it.
  const absl::Status trial = tenants_->OpenAuthority(root).status();
  if (!trial.ok() && !IsOfTheKey(trial)) return trial;
  std::vector<PromotionObstacle> faults = FaultsOf(root, trial);
  std::move(faults.begin(), faults.end(), std::back_inserter(others));
  return others.empty() ? absl::OkStatus() : PromotionBlocked(others);
}

absl::Status RootAdministration::MakePrimary(const Candidate& candidate,
                                             const RootChangeOrder& order) {
  std::vector<RootStateChange> changes;
  for (const RootRecord& other : candidate.roots) {
    if (other.state != ca::RootState::kPrimary) continue;
    ASSIGN_OR_RETURN(const ca::RootState demoted,
                     ca::StateAfter(FactsOf(other), ca::RootMove::kDemote));
    changes.push_back({other.root_id, other.state, demoted});
  }
  changes.push_back({candidate.root.root_id, candidate.root.state, ca::RootState::kPrimary});
  return store_->ChangeRootStates(candidate.tenant.tenant_id, candidate.tenant.revision, changes,
                                  order);
}

absl::StatusOr<RootRecord> RootAdministration::Promote(const PromotionOrder& order) {
  const TenantTurns::Turn turn = moves_.Take(order.tenant_id);
  ASSIGN_OR_RETURN(const Candidate candidate, CandidateOf(order.tenant_id, order.root_id));
  RETURN_IF_ERROR(CheckMayBePrimary(candidate.root, ca::RootMove::kPromote));
  ASSIGN_OR_RETURN(const Acceptance acceptance, AcceptanceOf(candidate, order));
  RETURN_IF_ERROR(CheckNothingBlocks(candidate.root, acceptance.in_the_way));
  const absl::Status made =
      MakePrimary(candidate, {.now = clock_->Now(),
                              .caller = order.caller,
                              .reason = order.override_reason,
                              .awaits_acknowledgements = acceptance.is_awaited,
                              .without_relying_parties = acceptance.may_be_nobody,
                              .overrides = acceptance.overrides});
  if (ReasonOf(made) == ErrorReason::kPromotionBlocked) {
    // Relying parties came or went since they were looked at. The store does not say which.
    ASSIGN_OR_RETURN(const Acceptance now, AcceptanceOf(candidate, order));
    if (!now.in_the_way.empty()) return PromotionBlocked(now.in_the_way);
  }
  RETURN_IF_ERROR(made);
  return store_->GetRoot(order.tenant_id, order.root_id);
}

absl::StatusOr<std::vector<PromotionObstacle>> RootAdministration::Obstacles(
    absl::string_view tenant_id, absl::string_view root_id) {
  ASSIGN_OR_RETURN(const Candidate candidate, CandidateOf(tenant_id, root_id));
  ca::RootFacts facts = FactsOf(candidate.root);
  facts.now = std::min(facts.now, candidate.root.not_after);
  RETURN_IF_ERROR(ca::StateAfter(facts, ca::RootMove::kPromote).status());
  PromotionOrder order;
  order.tenant_id = std::string(tenant_id);
  order.root_id = std::string(root_id);
  ASSIGN_OR_RETURN(Acceptance acceptance, AcceptanceOf(candidate, order));
  std::vector<PromotionObstacle> obstacles = std::move(acceptance.in_the_way);
  const absl::Status trial = tenants_->OpenAuthority(candidate.root).status();
  const bool is_told = IsOfTheKey(trial) || ReasonOf(trial) == ErrorReason::kSubKeyNotAllowed;
  if (!trial.ok() && !is_told) return trial;
  std::vector<PromotionObstacle> faults = FaultsOf(candidate.root, trial);
  std::move(faults.begin(), faults.end(), std::back_inserter(obstacles));
  return obstacles;
}

absl::StatusOr<RootRecord> RootAdministration::RollBack(absl::string_view tenant_id,
                                                        absl::string_view root_id,
                                                        absl::string_view caller,
                                                        absl::string_view reason) {
  const TenantTurns::Turn turn = moves_.Take(tenant_id);
  ASSIGN_OR_RETURN(const Candidate candidate, CandidateOf(tenant_id, root_id));
  RETURN_IF_ERROR(CheckWasPrimaryLast(candidate.root, candidate.roots));
  RETURN_IF_ERROR(CheckMayBePrimary(candidate.root, ca::RootMove::kRollBack));
  std::vector<PromotionObstacle> in_the_way;
  if (GoesForward(candidate.root, candidate.roots)) {
    PromotionOrder order;
    order.tenant_id = std::string(tenant_id);
    order.without_relying_parties = true;  // as there were when it was promoted
    ASSIGN_OR_RETURN(Acceptance acceptance, AcceptanceOf(candidate, order));
    in_the_way = std::move(acceptance.in_the_way);
  }
  RETURN_IF_ERROR(CheckNothingBlocks(candidate.root, std::move(in_the_way)));
  RETURN_IF_ERROR(MakePrimary(
      candidate,
      {.now = clock_->Now(), .caller = std::string(caller), .reason = std::string(reason)}));
  return store_->GetRoot(tenant_id, root_id);
}

}  // namespace hourglass::issuance
