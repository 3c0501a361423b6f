// The journal of a PostgreSQL store.
#ifndef HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_POSTGRESQL_JOURNAL_H_
#define HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_POSTGRESQL_JOURNAL_H_

#include <chrono>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/journal_store.h"
#include "issuance/store/postgresql/engine/connection_pool.h"
#include "issuance/store/postgresql/journal/journal_appender.h"

namespace hourglass::issuance::postgresql {

// Safe to call from several threads; appends of several run beside each other. Tells nobody of a
// PRIMARY_CHANGED: that is for the store.
class PostgresqlJournal final : public JournalStore {
 public:
  // `pool` must outlive this object. `partition_span`: PostgresqlStoreOptions.
  PostgresqlJournal(ConnectionPool* pool, std::chrono::hours partition_span)
      : pool_(*pool), partition_span_(partition_span), appender_(partition_span) {}

  absl::StatusOr<std::vector<absl::Status>> AppendToJournal(
      absl::Span<const JournalWrite> writes) override;
  // One connection of those that issue is left to what is read meanwhile.
  int AppendsAtOnce() const override;
  absl::StatusOr<JournalRecord> FindByRequestId(absl::string_view tenant_id,
                                                absl::string_view request_id) override;
  absl::StatusOr<JournalRecord> FindBySerialNumber(absl::string_view tenant_id,
                                                   absl::string_view serial_number) override;
  absl::StatusOr<Page<JournalRecord>> ListJournal(absl::string_view tenant_id,
                                                  const JournalFilter& filter, int page_size,
                                                  absl::string_view page_token) override;
  absl::Status DropJournalBefore(Timestamp before) override;
  absl::Status DeleteDroppedJournal(Timestamp now) override;

  // TimeRecords::NewestIntent.
  absl::StatusOr<std::optional<Timestamp>> NewestIntent();
  // The upkeep: called at the start and oftener than once a partition's span. Appends go on without
  // it, and make a partition that lacks themselves.
  absl::Status MakePartitionsAhead(Timestamp now);

 private:
  ConnectionPool& pool_;
  const std::chrono::hours partition_span_;
  JournalAppender appender_;
};

}  // namespace hourglass::issuance::postgresql

#endif  // HOURGLASS_ISSUANCE_STORE_POSTGRESQL_JOURNAL_POSTGRESQL_JOURNAL_H_
