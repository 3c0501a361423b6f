#include "issuance/rotation/rotation_executor.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "ca/encoding/time.h"
#include "ca/issuers/root_certificate.h"
#include "ca/issuers/root_states.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/config/issuing_config.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

// A successor may be used as its predecessor is: whether intermediates may come under a root cannot
// be changed later.
absl::StatusOr<bool> AllowsIssuingSubKeys(const RotationFacts& facts,
                                          const IssuingConfig& issuing) {
  if (issuing.sub_key.enabled) return true;
  for (const RootRecord& root : facts.roots) {
    if (root.state != ca::RootState::kPrimary) continue;
    ASSIGN_OR_RETURN(const ca::RootCertificate certificate,
                     ca::RootCertificate::Parse(root.certificate));
    return certificate.allows_issuing_sub_keys();
  }
  return false;
}

std::string InWords(absl::Span<const PromotionObstacle> obstacles) {
  return absl::StrJoin(obstacles, "; ", [](std::string* out, const PromotionObstacle& obstacle) {
    absl::StrAppend(out, obstacle.message);
  });
}

}  // namespace

std::string RotationRequestId(std::size_t roots) {
  return absl::StrCat(kOwnRequestIdPrefix, "rotation:", roots + 1);
}

void RotationExecutor::Pass() {
  if (!DecidingTime(*clock_).ok()) return;  // whoever doubts it says so
  const absl::StatusOr<std::vector<TenantRecord>> tenants = store_->ListTenants();
  if (!tenants.ok()) return SayFailed("", tenants.status());
  for (const TenantRecord& tenant : *tenants) {
    if (stopping_) return;
    LookAt(tenant.tenant_id);
  }
}

void RotationExecutor::LookAt(const std::string& tenant_id) {
  const RotationMode mode = tenants_->Issuing(tenant_id).rotation.mode;
  if (mode == RotationMode::kOff) return;
  const absl::StatusOr<std::optional<DueStep>> due = FindDueStep(tenant_id);
  if (!due.ok()) return SayFailed(tenant_id, due.status());
  if (!due->has_value()) {
    said_.erase(tenant_id);
    return;
  }
  const RotationStep& step = (*due)->step;
  if (!step.obstacles.empty()) return SayBlocked(tenant_id, step, InWords(step.obstacles));
  const absl::string_view action = RotationActionName(step.action);
  if (mode == RotationMode::kDryRun) {
    if (!IsNew(tenant_id, absl::StrCat("would ", action, " ", step.root_id))) return;
    log_.Info("rotation_step_due", {{"tenant", tenant_id},
                                    {"action", action},
                                    {"root", step.root_id},
                                    {"due_at", ca::FormatTime(step.due_at)},
                                    {"message", step.reason}});
    return;
  }
  const absl::Status done = Do(tenant_id, **due);
  if (done.ok()) {
    said_.erase(tenant_id);
  } else if (ReasonOf(done) == ErrorReason::kPromotionBlocked) {
    // By its key, or by what has changed since.
    SayBlocked(tenant_id, step, std::string(done.message()));
    PromoteAnother(tenant_id, **due);
  } else if (ReasonOf(done) == ErrorReason::kPrimaryChanged || IsDone(tenant_id, step, done)) {
    log_.Debug("rotation_overtaken", {{"tenant", tenant_id}, {"message", done.message()}});
  } else {
    SayFailed(tenant_id, done);
  }
}

void RotationExecutor::PromoteAnother(const std::string& tenant_id, DueStep due) {
  const RotationPolicy& policy = tenants_->Issuing(tenant_id).rotation;
  for (;;) {
    std::erase_if(due.facts.roots,
                  [&](const RootRecord& root) { return root.root_id == due.step.root_id; });
    std::optional<RotationStep> step = NextStep(due.facts, policy);
    const bool is_promotion = step.has_value() && step->action == RotationAction::kPromote;
    if (!is_promotion || !step->IsDue(due.facts.now)) return;
    due.step = *std::move(step);
    if (Do(tenant_id, due).ok()) {
      said_.erase(tenant_id);
      return;
    }
  }
}

bool RotationExecutor::IsDone(const std::string& tenant_id, const RotationStep& step,
                              const absl::Status& failure) const {
  if (ReasonOf(failure) != ErrorReason::kRootMoveIllegal) return false;
  const absl::StatusOr<std::optional<DueStep>> due = FindDueStep(tenant_id);
  return due.ok() && (!due->has_value() || (*due)->step != step);
}

absl::StatusOr<std::optional<RotationExecutor::DueStep>> RotationExecutor::FindDueStep(
    const std::string& tenant_id) const {
  const IssuingConfig& issuing = tenants_->Issuing(tenant_id);
  DueStep due;
  // Anew for each tenant: a pass may take long.
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(*clock_));
  due.facts.now = std::chrono::floor<std::chrono::seconds>(now);
  due.facts.leaf_lifetime = issuing.profile.lifetime;
  ASSIGN_OR_RETURN(due.facts.roots, store_->ListRoots(tenant_id));
  ASSIGN_OR_RETURN(due.facts.relying_parties, store_->ListRelyingParties(tenant_id));
  std::optional<RotationStep> step = NextStep(due.facts, issuing.rotation);
  if (!step.has_value() || step->due_at > due.facts.now) return std::nullopt;
  due.step = *std::move(step);
  return due;
}

absl::Status RotationExecutor::Do(const std::string& tenant_id, const DueStep& due) {
  const std::string caller(kRotationCaller);
  absl::Status done;
  switch (due.step.action) {
    case RotationAction::kStage:
      return Stage(tenant_id, due.facts);
    case RotationAction::kPromote: {
      PromotionOrder order;
      order.tenant_id = tenant_id;
      order.root_id = due.step.root_id;
      order.caller = caller;
      done = roots_->Promote(order).status();
      break;
    }
    case RotationAction::kRetire:
      done = roots_->Retire(tenant_id, due.step.root_id, KeyFate::kKeep, caller).status();
      break;
  }
  RETURN_IF_ERROR(done);
  log_.Info("rotation_step_done", {{"tenant", tenant_id},
                                   {"action", RotationActionName(due.step.action)},
                                   {"root", due.step.root_id},
                                   {"message", due.step.reason}});
  return absl::OkStatus();
}

absl::Status RotationExecutor::Stage(const std::string& tenant_id, const RotationFacts& facts) {
  const IssuingConfig& issuing = tenants_->Issuing(tenant_id);
  RootOrder order;
  order.tenant_id = tenant_id;
  order.duration = issuing.rotation.root_duration;
  order.key_type = issuing.rotation.key_type;
  order.caller = std::string(kRotationCaller);
  order.request_id = RotationRequestId(facts.roots.size());
  ASSIGN_OR_RETURN(order.issuing_sub_keys, AllowsIssuingSubKeys(facts, issuing));
  ASSIGN_OR_RETURN(const RootRecord root, roots_->Create(order));
  if (root.state != ca::RootState::kStaged && root.state != ca::RootState::kPrimary) {
    return Error(ErrorReason::kRequestIdReused, "request_id",
                 absl::StrCat(order.request_id, " was used for ", root.root_id, ", which is ",
                              ca::RootStateName(root.state)));
  }
  log_.Info("rotation_step_done", {{"tenant", tenant_id},
                                   {"action", RotationActionName(RotationAction::kStage)},
                                   {"root", root.root_id}});
  return absl::OkStatus();
}

void RotationExecutor::SayBlocked(const std::string& tenant_id, const RotationStep& step,
                                  const std::string& by) {
  if (!IsNew(tenant_id, absl::StrCat(step.root_id, " blocked: ", by))) return;
  log_.Warning("rotation_blocked", {{"tenant", tenant_id},
                                    {"root", step.root_id},
                                    {"due_at", ca::FormatTime(step.due_at)},
                                    {"why_due", step.reason},
                                    {"message", by}});
}

bool RotationExecutor::IsNew(const std::string& tenant_id, std::string said) {
  std::string& last = said_[tenant_id];
  if (last == said) return false;
  last = std::move(said);
  return true;
}

void RotationExecutor::SayFailed(absl::string_view tenant_id, const absl::Status& status) const {
  log_.Failure("rotation_failed", {{"tenant", tenant_id},
                                   {"reason", ErrorReasonName(ReasonOf(status))},
                                   {"message", status.message()}});
}

}  // namespace hourglass::issuance
