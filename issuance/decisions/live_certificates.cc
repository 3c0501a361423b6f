#include "issuance/decisions/live_certificates.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "ca/certificate/profile.h"
#include "hsm/base/status_macros.h"

namespace hourglass::issuance {
namespace {

// An intent is dated when its certificate is made. The hour more is for who corrects a clock.
constexpr std::chrono::seconds kOldestLive = ca::kMaxLeafLifetime + std::chrono::hours(1);
constexpr std::size_t kMostLookedThrough = 10'000;

// Newest first, until `take` wants no more; returns whether that was all.
absl::StatusOr<bool> ForEachLive(JournalStore& journal, absl::string_view tenant_id,
                                 JournalFilter filter, Timestamp now, int page_size,
                                 absl::FunctionRef<bool(JournalRecord&&)> take) {
  NarrowToLive(filter, now);
  std::string page_token;
  do {
    ASSIGN_OR_RETURN(Page<JournalRecord> page,
                     journal.ListJournal(tenant_id, filter, page_size, page_token));
    for (JournalRecord& record : page.records) {
      if (!take(std::move(record))) return false;
    }
    page_token = std::move(page.next_page_token);
  } while (!page_token.empty());
  return true;
}

}  // namespace

void NarrowToLive(JournalFilter& filter, Timestamp now) {
  filter.live_at = now;
  filter.intended_from =
      std::max(filter.intended_from.value_or(now - kOldestLive), now - kOldestLive);
}

absl::StatusOr<std::vector<JournalRecord>> LiveCertificatesOf(JournalStore& journal,
                                                              absl::string_view tenant_id,
                                                              absl::string_view device_id,
                                                              absl::string_view user_upn,
                                                              Timestamp now, std::size_t limit) {
  JournalFilter filter;
  filter.device_id = std::string(device_id);
  filter.user_upn = std::string(user_upn);
  std::vector<JournalRecord> records;
  const int page_size = static_cast<int>(std::min<std::size_t>(limit, kMaxPageSize));
  RETURN_IF_ERROR(
      ForEachLive(journal, tenant_id, filter, now, page_size, [&](JournalRecord&& record) {
        records.push_back(std::move(record));
        return records.size() < limit;
      }).status());
  return records;
}

absl::StatusOr<ConcernedCertificates> CertificatesConcerned(JournalStore& journal,
                                                            const DecisionEvent& event,
                                                            Timestamp now) {
  JournalFilter filter;
  filter.device_id = event.device_id;
  filter.user_upn = event.user_upn;
  const bool is_by_id = event.user_upn.empty() && !event.user_id.empty();
  const bool is_verdict = event.kind == DecisionEvent::Kind::kAccessRefused;
  const Timestamp last = event.at + (is_verdict ? std::chrono::seconds(0) : kUnderWay);
  ConcernedCertificates concerned;
  std::size_t looked_through = 0;
  ASSIGN_OR_RETURN(
      concerned.is_complete,
      ForEachLive(journal, event.tenant_id, filter, now, kMaxPageSize, [&](JournalRecord&& record) {
        if (++looked_through > kMostLookedThrough) return false;
        if (record.intent.verdict_evaluated_at > last) return true;
        if (is_by_id && record.intent.user_id != event.user_id) return true;
        if (concerned.records.size() == kMostConcerned) return false;
        concerned.records.push_back(std::move(record));
        return true;
      }));
  return concerned;
}

}  // namespace hourglass::issuance
