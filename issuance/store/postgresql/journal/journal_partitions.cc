#include "issuance/store/postgresql/journal/journal_partitions.h"

#include <cstdint>

#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/postgresql/engine/postgresql_values.h"

namespace hourglass::issuance::postgresql {
namespace {

// Each waits for a tenth of a second.
constexpr int kMostRefusals = 5;

absl::Status FreeKeys(Connection& connection) {
  for (;;) {
    ASSIGN_OR_RETURN(const std::int64_t more,
                     connection.QueryInteger("SELECT free_journal_keys()"));
    if (more == 0) return absl::OkStatus();
  }
}

}  // namespace

absl::Status MakePartition(Connection& connection, Timestamp at, std::chrono::hours span) {
  return connection
      .Query("SELECT make_journal_partition($1, $2)",
             {ValueOf(at), std::int64_t{std::chrono::microseconds(span).count()}})
      .status();
}

absl::Status MakePartitionsAhead(Connection& connection, Timestamp now, std::chrono::hours span) {
  RETURN_IF_ERROR(MakePartition(connection, now, span));
  return MakePartition(connection, now + span, span);
}

absl::Status DropJournalBefore(Connection& connection, Timestamp before) {
  // What an earlier call did not come to.
  RETURN_IF_ERROR(FreeKeys(connection));
  for (int refusals = 0;;) {
    ASSIGN_OR_RETURN(const std::int64_t dropped,
                     connection.QueryInteger("SELECT drop_journal_before($1)", {ValueOf(before)}));
    if (dropped == 0) return absl::OkStatus();
    if (dropped > 0) {
      RETURN_IF_ERROR(FreeKeys(connection));
    } else if (++refusals == kMostRefusals) {
      return Error(ErrorReason::kJournalUnavailable, "",
                   "database: the journal is read without a pause, so that nothing of it can be "
                   "dropped");
    }
  }
}

absl::Status DeleteDroppedJournal(Connection& connection, Timestamp now) {
  RETURN_IF_ERROR(FreeKeys(connection));
  return connection.Query("SELECT delete_dropped_journal($1)", {ValueOf(now)}).status();
}

}  // namespace hourglass::issuance::postgresql
