#include "issuance/server/certificate_ends.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "ca/encoding/time.h"
#include "issuance/config/tls_files.h"
#include "issuance/config/tls_fitness.h"

namespace hourglass::issuance {
namespace {

constexpr std::chrono::hours kDay(24);

std::string Text(Timestamp time) {
  return ca::FormatTime(std::chrono::floor<std::chrono::seconds>(time));
}

// What the ends of a tenant's roots are told under, each with its id behind this.
std::string NameOfRoots(absl::string_view tenant_id) {
  return absl::StrCat("root ", tenant_id, " ");
}

}  // namespace

CertificateEnds::CertificateEnds(const std::vector<Own>& own, TenantStore* store,
                                 const Clock* clock, EventLog log)
    : store_(*store), clock_(*clock), log_(std::move(log)) {
  for (const Own& file : own) {
    std::string mistake;
    std::vector<Timestamp> ends;
    for (const X509Ptr& certificate : ParseCertificates(file.pem, &mistake)) {
      ends.push_back(NotAfter(*certificate));
    }
    if (ends.empty()) continue;
    own_.emplace_back(file.name, file.any_will_do ? *std::max_element(ends.begin(), ends.end())
                                                  : *std::min_element(ends.begin(), ends.end()));
  }
}

void CertificateEnds::Watch(std::function<void()> each_minute) {
  constexpr int kMinutesBetweenLooks = 60;
  watching_.emplace(std::chrono::minutes(1),
                    [this, each_minute = std::move(each_minute), minute = 0]() mutable {
                      if (minute == 0) Look();
                      if (each_minute) each_minute();
                      minute = (minute + 1) % kMinutesBetweenLooks;
                    });
}

int CertificateEnds::Threshold(Timestamp end, Timestamp now) {
  for (const int days : kWithinDays) {
    if (end <= now + days * kDay) return days;
  }
  return -1;
}

bool CertificateEnds::IsNew(const std::string& what, Timestamp end, int within_days,
                            Told* told) const {
  if (within_days < 0) return false;
  const auto before = told_.find({what, end});
  // A clock that went back tells nothing twice.
  const bool is_new = before == told_.end() || within_days < before->second;
  (*told)[{what, end}] = is_new ? within_days : before->second;
  return is_new;
}

void CertificateEnds::Look() {
  const MutexLock looking(looking_);
  const Timestamp now = clock_.Now();
  Seen seen;
  Told told;
  seen.own = own_;
  for (const auto& [name, end] : own_) {
    const int within_days = Threshold(end, now);
    if (within_days > kOwnWithinDays || !IsNew(name, end, within_days, &told)) continue;
    const std::string within = absl::StrCat(within_days);
    if (end <= now) {
      log_.Failure("certificate_ended", {{"certificate", name}, {"end", Text(end)}});
    } else {
      log_.Warning("certificate_ends_soon",
                   {{"certificate", name}, {"end", Text(end)}, {"within_days", within}});
    }
  }
  LookAtRoots(now, &seen, &told);
  told_ = std::move(told);
  const MutexLock lock(mutex_);
  seen_ = std::move(seen);
}

void CertificateEnds::TellOfRoot(const RootRecord& root, Timestamp now, Told* told) const {
  const Timestamp end = root.not_after;
  const int within_days = Threshold(end, now);
  if (!IsNew(NameOfRoots(root.tenant_id) + root.root_id, end, within_days, told)) return;
  const std::string within = absl::StrCat(within_days);
  const std::string end_text = Text(end);
  const EventLog::Fields fields = {{"tenant", root.tenant_id},
                                   {"root", root.root_id},
                                   {"state", ca::RootStateName(root.state)},
                                   {"end", end_text},
                                   {"within_days", within}};
  if (end <= now) {
    log_.Failure("certificate_ended", fields);
  } else {
    log_.Warning("certificate_ends_soon", fields);
  }
}

void CertificateEnds::LookAtRootsOf(absl::string_view tenant_id, Timestamp now, Seen* seen,
                                    Told* told) {
  const auto roots = store_.ListRoots(tenant_id);
  if (!roots.ok()) {
    KeepTold(NameOfRoots(tenant_id), told);
    return;
  }
  for (const RootRecord& root : *roots) {
    const auto of_state = seen->roots.find(root.state);
    if (of_state == seen->roots.end()) continue;
    Seen::Roots& totals = of_state->second;
    const Timestamp end = root.not_after;
    if (totals.first_end == Timestamp() || end < totals.first_end) totals.first_end = end;
    for (std::size_t i = 0; i < kWithinDays.size(); ++i) {
      if (end <= now + kWithinDays[i] * kDay) ++totals.ending[i];
    }
    // A retiring one is meant to end.
    if (root.state != ca::RootState::kRetiring) TellOfRoot(root, now, told);
  }
}

void CertificateEnds::LookAtRoots(Timestamp now, Seen* seen, Told* told) {
  for (const ca::RootState state : kStates) seen->roots[state];
  const auto tenants = store_.ListTenants();
  if (!tenants.ok()) {
    KeepTold("", told);
    return;
  }
  for (const TenantRecord& tenant : *tenants) LookAtRootsOf(tenant.tenant_id, now, seen, told);
}

void CertificateEnds::KeepTold(absl::string_view beginning, Told* told) const {
  for (const auto& [what, threshold] : told_) {
    if (absl::StartsWith(what.first, beginning)) told->emplace(what, threshold);
  }
}

CertificateEnds::Seen CertificateEnds::LastSeen() const {
  const MutexLock lock(mutex_);
  return seen_;
}

}  // namespace hourglass::issuance
