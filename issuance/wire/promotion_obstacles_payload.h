// What is in the way of a promotion, on its way from where that is found to the wire: an
// absl::Status carries it. All of it is safe to call from several threads.
#ifndef HOURGLASS_ISSUANCE_WIRE_PROMOTION_OBSTACLES_PAYLOAD_H_
#define HOURGLASS_ISSUANCE_WIRE_PROMOTION_OBSTACLES_PAYLOAD_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "hourglass/v1/error.pb.h"

namespace hourglass::issuance {

// Lets `status`, which must not be OK, carry `obstacles` in the place of any that it carried
// before. Their texts become UTF-8 (AsUtf8). ToGrpcStatus (issuance/wire/status_detail.h) tells
// them as ErrorDetail.obstacles. Copies of the status carry them too; one that is made anew from
// its reason and message does not.
void AttachObstacles(absl::Span<const v1::PromotionObstacle> obstacles, absl::Status* status);

// What AttachObstacles attached, in its order; nothing of any other status.
std::vector<v1::PromotionObstacle> AttachedObstacles(const absl::Status& status);

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_WIRE_PROMOTION_OBSTACLES_PAYLOAD_H_
