#include "issuance/store/sqlite/tables/sqlite_blocks.h"

#include <cstdint>
#include <optional>
#include <string>

#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/access_rows.h"
#include "issuance/store/access_rules.h"
#include "issuance/store/access_statements.h"
#include "issuance/store/administrative_actions.h"
#include "issuance/store/decision_rules.h"
#include "issuance/store/page_token.h"
#include "issuance/store/sqlite/engine/sqlite_values.h"
#include "issuance/store/sqlite/tables/sqlite_administrative_actions.h"
#include "issuance/store/sqlite/tables/sqlite_decisions.h"
#include "issuance/store/sqlite/tables/sqlite_directory.h"
#include "issuance/store/store_rules.h"

namespace hourglass::issuance::sqlite {
namespace {

absl::StatusOr<BlockRecord> GetBlock(Connection& connection, absl::string_view tenant_id,
                                     BlockRecord::Kind kind, absl::string_view folded_subject) {
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectBlock, {Text{tenant_id}, Text{NameOf(kind)},
                                                              Text{folded_subject}}));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return BlockUnknown();
  return TakeBlock(rows);
}

// Who of the directory is meant.
absl::StatusOr<std::optional<DirectoryUser>> FindBlocked(Connection& connection,
                                                         const BlockRecord& block) {
  if (block.kind != BlockRecord::Kind::kUser) return std::nullopt;
  absl::StatusOr<DirectoryUser> user = GetUser(connection, block.tenant_id, block.subject);
  if (ReasonOf(user.status()) == ErrorReason::kUserUnknown) {
    user = GetUserByUpn(connection, block.tenant_id, block.subject);
  }
  if (ReasonOf(user.status()) == ErrorReason::kUserUnknown) return std::nullopt;
  RETURN_IF_ERROR(user.status());
  return *std::move(user);
}

}  // namespace

absl::Status Block(Connection& connection, const BlockRecord& block, const ChangeCause& cause) {
  ASSIGN_OR_RETURN(const std::string folded_subject, FoldedSubject(block.subject));
  ASSIGN_OR_RETURN(const std::int64_t put,
                   connection.Change(kPutBlock, {Text{block.tenant_id}, Text{NameOf(block.kind)},
                                                 Text{block.subject}, Text{cause.reason},
                                                 Text{cause.caller}, ValueOf(cause.now),
                                                 ValueOf(block.until), Text{folded_subject}}));
  if (put == 0) return TenantUnknown();
  RETURN_IF_ERROR(RecordAction(
      connection, ActionOn(block.tenant_id, block.subject, BlockedName(block.kind), cause)));
  ASSIGN_OR_RETURN(const std::optional<DirectoryUser> user, FindBlocked(connection, block));
  return Decisions::AddEvent(connection, EventOf(block, user, cause));
}

absl::StatusOr<BlockRecord> Unblock(Connection& connection, absl::string_view tenant_id,
                                    BlockRecord::Kind kind, absl::string_view subject,
                                    const ChangeCause& cause) {
  const std::string folded_subject = ca::FoldedUpn(subject);
  ASSIGN_OR_RETURN(BlockRecord block, GetBlock(connection, tenant_id, kind, folded_subject));
  RETURN_IF_ERROR(
      connection.Change(kDeleteBlock, {Text{tenant_id}, Text{NameOf(kind)}, Text{folded_subject}})
          .status());
  RETURN_IF_ERROR(
      RecordAction(connection, ActionOn(tenant_id, block.subject, UnblockedName(kind), cause)));
  return block;
}

absl::StatusOr<Page<BlockRecord>> ListBlocks(Connection& connection, absl::string_view tenant_id,
                                             int page_size, absl::string_view page_token) {
  RETURN_IF_ERROR(CheckPageSize(page_size));
  BlockPosition after;  // of no block
  if (!page_token.empty()) {
    ASSIGN_OR_RETURN(after, ParseBlockPosition(page_token));
  }
  ASSIGN_OR_RETURN(Rows rows, connection.Query(kSelectBlocks, {Text{tenant_id}, Text{after.kind},
                                                               Text{after.folded_subject},
                                                               std::int64_t{page_size} + 1}));
  return TakePage<BlockRecord>(rows, page_size, TakeBlock<Rows>, [](const BlockRecord& last) {
    return BlockPageToken({std::string(NameOf(last.kind)), ca::FoldedUpn(last.subject)});
  });
}

absl::StatusOr<DecisionFacts> ReadDecisionFacts(Connection& connection,
                                                const DecisionSubject& subject, Timestamp now) {
  const FoldedDecisionSubject folded = Folded(subject);
  const bool by_upn = subject.user_id.empty();
  ASSIGN_OR_RETURN(
      Rows rows,
      connection.Query(
          by_upn ? kSelectFactsByUpn : kSelectFactsByUserId,
          {Text{subject.tenant_id}, Text{subject.device_id},
           Text{by_upn ? absl::string_view(folded.user_upn) : subject.user_id},
           Text{folded.device_id}, ValueOf(now), Text{folded.user_id}, Text{folded.user_upn}}));
  return TakeFacts(rows);
}

}  // namespace hourglass::issuance::sqlite
