// The statements about blocks and what verdicts read, as BlockStore and DecisionFactsStore describe
// them. Those that write need a transaction of the caller's, who rolls it back after an error.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_BLOCKS_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_BLOCKS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/access_records.h"
#include "issuance/store/access_store.h"
#include "issuance/store/page.h"
#include "issuance/store/sqlite/engine/sqlite.h"

namespace hourglass::issuance::sqlite {

absl::Status Block(Connection& connection, const BlockRecord& block, const ChangeCause& cause);
absl::StatusOr<BlockRecord> Unblock(Connection& connection, absl::string_view tenant_id,
                                    BlockRecord::Kind kind, absl::string_view subject,
                                    const ChangeCause& cause);
absl::StatusOr<Page<BlockRecord>> ListBlocks(Connection& connection, absl::string_view tenant_id,
                                             int page_size, absl::string_view page_token);
// One statement, in a transaction or without one.
absl::StatusOr<DecisionFacts> ReadDecisionFacts(Connection& connection,
                                                const DecisionSubject& subject, Timestamp now);

}  // namespace hourglass::issuance::sqlite

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_TABLES_SQLITE_BLOCKS_H_
