#include "issuance/store/postgresql/journal/postgresql_journal.h"

#include <algorithm>

#include "issuance/store/postgresql/journal/journal_partitions.h"
#include "issuance/store/postgresql/journal/journal_query.h"

namespace hourglass::issuance::postgresql {

absl::StatusOr<std::vector<absl::Status>> PostgresqlJournal::AppendToJournal(
    absl::Span<const JournalWrite> writes) {
  if (writes.empty()) return std::vector<absl::Status>();
  return pool_.Run([&](Connection& connection) { return appender_.Append(connection, writes); });
}

int PostgresqlJournal::AppendsAtOnce() const { return std::max(1, pool_.sizes().issuing - 1); }

absl::StatusOr<JournalRecord> PostgresqlJournal::FindByRequestId(absl::string_view tenant_id,
                                                                 absl::string_view request_id) {
  return pool_.Run([&](Connection& connection) {
    return postgresql::FindByRequestId(connection, tenant_id, request_id);
  });
}

absl::StatusOr<JournalRecord> PostgresqlJournal::FindBySerialNumber(
    absl::string_view tenant_id, absl::string_view serial_number) {
  return pool_.Run([&](Connection& connection) {
    return postgresql::FindBySerialNumber(connection, tenant_id, serial_number);
  });
}

absl::StatusOr<Page<JournalRecord>> PostgresqlJournal::ListJournal(absl::string_view tenant_id,
                                                                   const JournalFilter& filter,
                                                                   int page_size,
                                                                   absl::string_view page_token) {
  return pool_.Run([&](Connection& connection) {
    return postgresql::ListJournal(connection, tenant_id, filter, page_size, page_token);
  });
}

absl::Status PostgresqlJournal::DropJournalBefore(Timestamp before) {
  return pool_.Run(
      [&](Connection& connection) { return postgresql::DropJournalBefore(connection, before); });
}

absl::Status PostgresqlJournal::DeleteDroppedJournal(Timestamp now) {
  return pool_.Run(
      [&](Connection& connection) { return postgresql::DeleteDroppedJournal(connection, now); });
}

absl::StatusOr<std::optional<Timestamp>> PostgresqlJournal::NewestIntent() {
  return pool_.Run([](Connection& connection) { return postgresql::NewestIntent(connection); });
}

absl::Status PostgresqlJournal::MakePartitionsAhead(Timestamp now) {
  return pool_.Run([&](Connection& connection) {
    return postgresql::MakePartitionsAhead(connection, now, partition_span_);
  });
}

}  // namespace hourglass::issuance::postgresql
