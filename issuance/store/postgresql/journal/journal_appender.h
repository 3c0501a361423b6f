// How intents and releases are written, as issuance/store/journal_store.h describes it.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_APPENDER_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_APPENDER_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "ca/encoding/time.h"
#include "hsm/base/mutex.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/postgresql/engine/connection.h"

namespace hourglass::issuance::postgresql {

// The writes of a batch go in the order of their tenants and request ids, so that two processes
// that have the same ones never wait for each other; those of one request stay in their order.
// Safe to call from several threads, each with a connection of its own.
class JournalAppender {
 public:
  // A partition that lacks is made of `partition_span`.
  explicit JournalAppender(std::chrono::hours partition_span) : partition_span_(partition_span) {}

  // In one transaction, which begins and ends here, and one round trip; another where a write is
  // refused, for the reasons, and others where a partition lacks. The epochs of the tenants are
  // held from before the first write until the commit (promise 6). Errors: JOURNAL_UNAVAILABLE and
  // INTERNAL_ERROR, as Connection has them; after JOURNAL_UNAVAILABLE it may be written or not. A
  // refused write whose reason cannot be read has that error for its status.
  absl::StatusOr<std::vector<absl::Status>> Append(Connection& connection,
                                                   absl::Span<const JournalWrite> writes);

 private:
  using RootKey = std::pair<std::string, std::string>;  // tenant and root
  // Intents whose certificates end later than what is known to be noted of their root.
  struct LateLeaves {
    RootKey root;
    std::string request_ids;  // as PostgreSQL writes text[]
  };

  absl::StatusOr<std::vector<bool>> WriteOrMakePartitions(Connection& connection,
                                                          absl::Span<const JournalWrite> writes);
  absl::StatusOr<std::vector<bool>> Write(Connection& connection,
                                          absl::Span<const JournalWrite> writes);
  std::vector<LateLeaves> FindLateLeaves(absl::Span<const JournalWrite> writes);
  void Remember(absl::Span<const LateLeaves> leaves, absl::Span<Rows> noted);
  absl::StatusOr<std::int64_t> Writer(Connection& connection);

  const std::chrono::hours partition_span_;
  Mutex mutex_;
  // This object's rows in last_leaves: their number, 0 before the first, and what is in them.
  std::int64_t writer_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<RootKey, ca::Time> last_leaves_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_JOURNAL_APPENDER_H_
