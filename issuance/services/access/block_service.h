// The gRPC methods of blocks.
#ifndef HOURGLASS_ISSUANCE_SERVICES_ACCESS_BLOCK_SERVICE_H_
#define HOURGLASS_ISSUANCE_SERVICES_ACCESS_BLOCK_SERVICE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "hourglass/v1/blocks.grpc.pb.h"
#include "issuance/base/clock.h"
#include "issuance/calls/call_runner.h"
#include "issuance/calls/unary_service.h"
#include "issuance/log/event_log.h"
#include "issuance/rotation/tenant_turns.h"
#include "issuance/store/access_store.h"
#include "issuance/store/tenant_store.h"

namespace hourglass::issuance {

// v1::BlockService over the store.
class BlockService final : public UnaryService<v1::BlockService> {
 public:
  // Of one tenant, also those whose time is over.
  static constexpr std::size_t kMostBlocks = 10'000;

  // All must outlive this object.
  BlockService(CallRunner* calls, TenantStore* tenants, BlockStore* blocks, const Clock* clock,
               const EventLog* log)
      : tenants_(tenants), blocks_(blocks), clock_(clock), log_(log) {
    Serve(calls, this, "PutBlock", &BlockService::PutBlock);
    Serve(calls, this, "RemoveBlock", &BlockService::RemoveBlock);
    Serve(calls, this, "ListBlocks", &BlockService::ListBlocks);
  }

  // Logged as `block_put` and `block_removed`, without the reason, which may name people: it is
  // kept with what administrators did.
  absl::Status PutBlock(const Caller& caller, const v1::PutBlockRequest& request,
                        v1::Block* response);
  absl::Status RemoveBlock(const Caller& caller, const v1::RemoveBlockRequest& request,
                           v1::Block* response);
  absl::Status ListBlocks(const Caller& caller, const v1::ListBlocksRequest& request,
                          v1::ListBlocksResponse* response);

 private:
  // Whether this may be put beside those that there are, or in place of one. Errors:
  // QUOTA_EXCEEDED.
  absl::Status CheckQuota(const BlockRecord& block);

  TenantStore* const tenants_;
  BlockStore* const blocks_;
  const Clock* const clock_;
  const EventLog* const log_;
  TenantTurns puts_;  // so that those of one tenant are counted one by one
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_SERVICES_ACCESS_BLOCK_SERVICE_H_
