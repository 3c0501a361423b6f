#include "issuance/decisions/holder_review.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "hourglass/v1/decisions.pb.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/decisions/live_certificates.h"
#include "issuance/timekeeping/deciding_time.h"

namespace hourglass::issuance {
namespace {

// What a page costs that has few certificates, or none.
constexpr int kLeastOfPage = 25;
// So that a large tenant leaves something of each step to others.
constexpr int kMostOfPage = 100;
// Of tenants whose revision is looked at in a step.
constexpr std::size_t kMostRevisions = 100;

// No id and no UPN has a NUL.
std::string NameOf(const Intent& intent) {
  constexpr absl::string_view kNul("\0", 1);
  return absl::StrCat(intent.device_id, kNul, intent.user_id, kNul, intent.user_upn);
}

v1::EvaluateRequest QuestionOf(const Intent& intent) {
  v1::EvaluateRequest question;
  question.set_tenant_id(intent.tenant_id);
  question.set_user_id(intent.user_id);
  question.set_user_upn(intent.user_upn);
  question.set_device_id(intent.device_id);
  // Records from before that was kept are of brokers that say who it is.
  if (intent.identity == kAccessToken || intent.identity == kAccessTokenAndDeviceKey) {
    question.mutable_sign_in();
  }
  return question;
}

std::vector<std::string> SettingsOf(const std::vector<v1::DenyReason>& reasons) {
  std::vector<std::string> settings;
  for (const v1::DenyReason& reason : reasons) settings.push_back(reason.setting());
  return settings;
}

UntoldEvent LossOf(const Intent& intent, const std::vector<v1::DenyReason>& found, Timestamp now) {
  v1::DenyReasons reasons;
  reasons.mutable_reasons()->Assign(found.begin(), found.end());
  UntoldEvent untold;
  untold.event.tenant_id = intent.tenant_id;
  untold.event.kind = DecisionEvent::Kind::kAccessLost;
  untold.event.at = now;
  untold.event.device_id = intent.device_id;
  untold.event.user_id = intent.user_id;
  untold.event.user_upn = intent.user_upn;
  untold.event.reasons = reasons.SerializeAsString();
  untold.newest_intended_at = intent.intended_at;
  return untold;
}

}  // namespace

void HolderReview::Step(const std::vector<std::string>& tenants) {
  Adopt(tenants);
  if (tenants_.empty()) return;
  // Ages mean nothing by a clock that leapt.
  const absl::StatusOr<Timestamp> now = DecidingTime(*means_.clock);
  if (!now.ok()) return;
  absl::Status status = BeginDue(*now);
  if (status.ok()) status = Advance(*now);
  if (!status.ok() && !is_failing_) {
    log_.Failure("holders_not_reviewed", {{"message", status.message()}});
  }
  is_failing_ = !status.ok();
}

void HolderReview::Adopt(const std::vector<std::string>& tenants) {
  for (auto& [tenant_id, tenant] : tenants_) ++tenant.steps_without;
  for (const std::string& tenant_id : tenants) {
    const auto [place, is_new] = tenants_.try_emplace(tenant_id);
    place->second.steps_without = 0;
    // Not at once, so that a restart of all who watch is not a round of all.
    if (is_new) place->second.due_in = limits_.steps_between;
  }
  std::erase_if(tenants_, [this](const auto& entry) {
    return entry.second.steps_without > limits_.steps_between;
  });
  std::erase_if(turns_, [this](const std::string& id) { return !tenants_.contains(id); });
}

absl::Status HolderReview::LookAtRevision(const std::string& tenant_id, Tenant& tenant) {
  const absl::StatusOr<TenantRecord> record = means_.tenants->GetTenant(tenant_id);
  // Whoever watches what is not there is told so.
  if (ReasonOf(record.status()) == ErrorReason::kTenantUnknown) return absl::OkStatus();
  RETURN_IF_ERROR(record.status());
  const bool is_another =
      tenant.revision.has_value() && *tenant.revision != record->policy_revision;
  if (is_another) tenant.due_in = 0;
  tenant.revision = record->policy_revision;
  return absl::OkStatus();
}

absl::Status HolderReview::BeginDue(Timestamp now) {
  const std::size_t turns = 1 + tenants_.size() / kMostRevisions;
  std::size_t place = ++steps_;
  for (auto& [tenant_id, tenant] : tenants_) {
    if (tenant.due_in > 0) --tenant.due_in;
    if (place++ % turns == 0) RETURN_IF_ERROR(LookAtRevision(tenant_id, tenant));
    if (tenant.due_in > 0 || tenant.round.has_value()) continue;
    tenant.round.emplace().began = now;
    tenant.due_in = limits_.steps_between;
    turns_.push_back(tenant_id);
  }
  return absl::OkStatus();
}

absl::Status HolderReview::Advance(Timestamp now) {
  int left = limits_.most_certificates;
  while (left > 0 && !turns_.empty()) {
    const std::string tenant_id = std::move(turns_.front());
    turns_.pop_front();
    Tenant& tenant = tenants_.at(tenant_id);
    const absl::StatusOr<int> seen = Look(tenant_id, tenant, std::min(left, kMostOfPage), now);
    if (!seen.ok()) tenant.round.reset();
    RETURN_IF_ERROR(seen.status());
    left -= std::max(*seen, kLeastOfPage);
    if (tenant.round.has_value()) turns_.push_back(tenant_id);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> HolderReview::Look(const std::string& tenant_id, Tenant& tenant, int most,
                                       Timestamp now) {
  Round& round = *tenant.round;
  JournalFilter filter;
  NarrowToLive(filter, round.began);
  ASSIGN_OR_RETURN(const Page<JournalRecord> page,
                   means_.journal->ListJournal(tenant_id, filter, most, round.page_token));
  std::vector<UntoldEvent> events;
  std::vector<std::string> told;
  for (const JournalRecord& record : page.records) {
    ASSIGN_OR_RETURN(std::optional<UntoldEvent> event, EventOf(record, tenant, now));
    if (!event.has_value()) continue;
    events.push_back(*std::move(event));
    told.push_back(NameOf(record.intent));
  }
  if (!events.empty()) RETURN_IF_ERROR(means_.decisions->KeepRefusals({}, events));
  for (const std::string& name : told) round.holders[name].is_told = true;
  round.page_token = page.next_page_token;
  if (round.page_token.empty()) {
    tenant.holders = std::move(round.holders);
    tenant.round.reset();
  }
  return static_cast<int>(page.records.size());
}

absl::StatusOr<std::optional<UntoldEvent>> HolderReview::EventOf(const JournalRecord& record,
                                                                 Tenant& tenant, Timestamp now) {
  const Intent& intent = record.intent;
  const std::string name = NameOf(intent);
  // They come newest first: of the same holder all others are older.
  const auto [place, is_first] = tenant.round->holders.try_emplace(name);
  if (!is_first) return std::nullopt;
  Holder& holder = place->second;
  const auto before = tenant.holders.find(name);
  const bool was_seen =
      before != tenant.holders.end() && before->second.newest == intent.intended_at;
  if (was_seen) holder = before->second;
  holder.newest = intent.intended_at;
  if (holder.is_told || intent.not_after <= now) return std::nullopt;
  ASSIGN_OR_RETURN(const ComplianceEngine::Standing standing,
                   means_.engine->Review(QuestionOf(intent), now));
  if (!was_seen) holder.at_first = SettingsOf(standing.by_directory);
  std::vector<v1::DenyReason> found = standing.certain;
  for (const v1::DenyReason& reason : standing.by_directory) {
    const bool stood = std::find(holder.at_first.begin(), holder.at_first.end(),
                                 reason.setting()) != holder.at_first.end();
    if (!stood) found.push_back(reason);
  }
  if (found.empty()) return std::nullopt;
  return LossOf(intent, found, now);
}

}  // namespace hourglass::issuance
