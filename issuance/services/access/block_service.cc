#include "issuance/services/access/block_service.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "ca/names/name_rules.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/services/access/access_mapper.h"
#include "issuance/store/page.h"
#include "issuance/timekeeping/deciding_time.h"
#include "issuance/wire/proto_time.h"
#include "issuance/wire/request_fields.h"

namespace hourglass::issuance {
namespace {

absl::StatusOr<BlockRecord> BlockOf(const v1::PutBlockRequest& request) {
  ASSIGN_OR_RETURN(BlockedSubject blocked, FromProto(request.subject()));
  RETURN_IF_ERROR(CheckReason(request.reason(), "reason"));
  BlockRecord block;
  block.tenant_id = request.tenant_id();
  block.kind = blocked.kind;
  block.subject = std::move(blocked.subject);
  block.reason = request.reason();
  return block;
}

absl::StatusOr<Timestamp> EndOf(const google::protobuf::Timestamp& until, const Clock& clock) {
  ASSIGN_OR_RETURN(const Timestamp end, FromProto(until, "until"));
  // By a clock that leapt nobody knows what is to come.
  ASSIGN_OR_RETURN(const Timestamp now, DecidingTime(clock));
  if (end > now) return end;
  return Error(ErrorReason::kFieldInvalid, "until", "must lie in the future");
}

void LogBlock(const EventLog& log, absl::string_view event, const Caller& caller,
              const BlockRecord& block) {
  const bool is_device = block.kind == BlockRecord::Kind::kDevice;
  log.Info(event, {{"tenant", block.tenant_id},
                   {is_device ? "device" : "user", block.subject},
                   {"caller", caller.name}});
}

}  // namespace

absl::Status BlockService::CheckQuota(const BlockRecord& block) {
  const std::string folded = ca::FoldedUpn(block.subject);
  std::size_t others = 0;
  std::string page_token;
  do {
    ASSIGN_OR_RETURN(const Page<BlockRecord> page,
                     blocks_->ListBlocks(block.tenant_id, kMaxPageSize, page_token));
    for (const BlockRecord& other : page.records) {
      if (other.kind == block.kind && ca::FoldedUpn(other.subject) == folded) {
        return absl::OkStatus();
      }
    }
    others += page.records.size();
    page_token = page.next_page_token;
  } while (!page_token.empty());
  if (others < kMostBlocks) return absl::OkStatus();
  return Error(ErrorReason::kQuotaExceeded, "tenant_id",
               absl::StrCat("the tenant has ", others,
                            " blocks, and can have no more: lift those that are over"));
}

absl::Status BlockService::PutBlock(const Caller& caller, const v1::PutBlockRequest& request,
                                    v1::Block* response) {
  ASSIGN_OR_RETURN(BlockRecord block, BlockOf(request));
  if (request.has_until()) {
    ASSIGN_OR_RETURN(block.until, EndOf(request.until(), *clock_));
  }
  const TenantTurns::Turn turn = puts_.Take(block.tenant_id);
  RETURN_IF_ERROR(CheckQuota(block));
  // Not DecidingTime: nothing hangs on when it was, and a stolen laptop is to be blocked whatever
  // the clock shows.
  block.blocked_at = clock_->Now();
  block.blocked_by = caller.name;
  RETURN_IF_ERROR(blocks_->Block(block, {block.blocked_at, caller.name, block.reason}));
  LogBlock(*log_, "block_put", caller, block);
  *response = ToProto(block);
  return absl::OkStatus();
}

absl::Status BlockService::RemoveBlock(const Caller& caller, const v1::RemoveBlockRequest& request,
                                       v1::Block* response) {
  ASSIGN_OR_RETURN(const BlockedSubject blocked, FromProto(request.subject()));
  if (!request.reason().empty()) RETURN_IF_ERROR(CheckReason(request.reason(), "reason"));
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const BlockRecord block,
                   blocks_->Unblock(request.tenant_id(), blocked.kind, blocked.subject,
                                    {clock_->Now(), caller.name, request.reason()}));
  LogBlock(*log_, "block_removed", caller, block);
  *response = ToProto(block);
  return absl::OkStatus();
}

absl::Status BlockService::ListBlocks(const Caller&, const v1::ListBlocksRequest& request,
                                      v1::ListBlocksResponse* response) {
  RETURN_IF_ERROR(tenants_->GetTenant(request.tenant_id()).status());
  ASSIGN_OR_RETURN(const int page_size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const Page<BlockRecord> page,
                   blocks_->ListBlocks(request.tenant_id(), page_size, request.page_token()));
  for (const BlockRecord& block : page.records) *response->add_blocks() = ToProto(block);
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
