// What this process was told is durable, looked for again on servers that it has not seen.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_WITNESS_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_WITNESS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/base/clock.h"
#include "issuance/store/postgresql/engine/connection.h"
#include "issuance/store/records.h"

namespace hourglass::issuance::postgresql {

// One thing that a commit made durable, and that nothing but a loss takes away again; of a
// certificate of the journal only while no retention may have dropped it.
struct DurableFact {
  enum class Kind {
    kRelease,       // of `request_id`, with this serial number unless that is empty
    kIntermediate,  // of `root_id` with this serial number, released
    kRevision,      // of the tenant: this one or a later
  };
  Kind kind = Kind::kRelease;
  std::string tenant_id;
  std::string request_id = "";
  std::string root_id = "";
  std::string serial_number = "";
  std::uint64_t revision = 0;
  Timestamp released_at = {};
};

// The serial number is that of the certificate, or empty where that is none.
DurableFact FactOf(const Release& release);

// OK where the database has all of these. Errors: JOURNAL_UNAVAILABLE with what lacks, its serial
// number in hexadecimal digits; and as Connection has them. Sets `lacks` where it is the former.
// `now` is the database's time: releases older than an hour less than the journal's minimum
// retention are not looked for.
absl::Status LookFor(Connection& connection, const std::vector<DurableFact>& facts, Timestamp now,
                     bool& lacks);

// Keeps the newest facts of each kind. Safe to call from several threads.
//
// A commit may be acknowledged by an old server while a new one is looked at. So whoever commits
// asks before for the period, and notes under it what was acknowledged.
class Witness {
 public:
  // Of each kind, of as many commits. More than are ever under way at once: one that the log has
  // behind another may be acknowledged before it.
  static constexpr std::size_t kMostFacts = 128;
  // Between two comparisons.
  using Period = std::int64_t;

  Period period() const;
  // `facts`: of one transaction, for which the last of each kind stands. False where a comparison
  // has begun since, which the facts were not part of: nothing is noted, and they may be lost.
  [[nodiscard]] bool Note(Period period, const std::vector<DurableFact>& facts);

  // Begins a period, and looks for all that was noted before. `now` is the database's time. Errors:
  // as LookFor. Where something lacks, that error is what Refusal, and every other Compare, returns
  // from then on.
  absl::Status Compare(Connection& connection, Timestamp now);

  // OK until a comparison has failed.
  absl::Status Refusal() const;

 private:
  mutable Mutex mutex_;  // not held while the database is asked
  Period period_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<DurableFact> releases_ ABSL_GUARDED_BY(mutex_);
  std::deque<DurableFact> intermediates_ ABSL_GUARDED_BY(mutex_);
  std::deque<DurableFact> revisions_ ABSL_GUARDED_BY(mutex_);
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> refuses_ = false;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_WITNESS_H_
