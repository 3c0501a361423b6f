// Which certificates of the journal are live, and which of them a decision concerns.
#ifndef HOURGLASS_ISSUANCE_DECISIONS_LIVE_CERTIFICATES_H_
#define HOURGLASS_ISSUANCE_DECISIONS_LIVE_CERTIFICATES_H_

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/base/clock.h"
#include "issuance/store/decision_records.h"
#include "issuance/store/journal_store.h"

namespace hourglass::issuance {

// Of those that `filter` finds, only those that are live at `now`. It then looks no further back
// than the longest life of a certificate reaches, however long the journal is.
void NarrowToLive(JournalFilter& filter, Timestamp now);

// Those of a device; where `user_upn` is not empty, of this user on it. Newest first, at most
// `limit`, of which there may be more.
absl::StatusOr<std::vector<JournalRecord>> LiveCertificatesOf(JournalStore& journal,
                                                              absl::string_view tenant_id,
                                                              absl::string_view device_id,
                                                              absl::string_view user_upn,
                                                              Timestamp now, std::size_t limit);

struct ConcernedCertificates {
  std::vector<JournalRecord> records;  // newest first, at most kMostConcerned
  bool is_complete = true;
};

inline constexpr std::size_t kMostConcerned = 1000;
// Verdicts are asked for beside what happens to their devices, and by clocks that differ.
inline constexpr std::chrono::seconds kUnderWay(30);

// Those that are live at `now` and whose verdict was evaluated before the event or at the same
// time; of what is no verdict itself, or at most kUnderWay after it. Of a user of whom only the id
// is known, the tenant's newest live certificates are looked through, at most 10 000.
absl::StatusOr<ConcernedCertificates> CertificatesConcerned(JournalStore& journal,
                                                            const DecisionEvent& event,
                                                            Timestamp now);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_DECISIONS_LIVE_CERTIFICATES_H_
