#include "issuance/wire/promotion_obstacles_payload.h"

#include <string>

#include "absl/strings/cord.h"
#include "issuance/wire/readable_text.h"

namespace hourglass::issuance {
namespace {

// A serialized v1::ErrorDetail with its obstacles and nothing else.
constexpr char kObstaclesPayload[] = "hourglass/promotion-obstacles";

}  // namespace

void AttachObstacles(absl::Span<const v1::PromotionObstacle> obstacles, absl::Status* status) {
  v1::ErrorDetail detail;
  for (const v1::PromotionObstacle& obstacle : obstacles) {
    v1::PromotionObstacle* added = detail.add_obstacles();
    added->set_kind(obstacle.kind());
    added->set_relying_party(AsUtf8(obstacle.relying_party()));
    added->set_message(AsUtf8(obstacle.message()));
  }
  status->SetPayload(kObstaclesPayload, absl::Cord(detail.SerializeAsString()));
}

std::vector<v1::PromotionObstacle> AttachedObstacles(const absl::Status& status) {
  const auto payload = status.GetPayload(kObstaclesPayload);
  v1::ErrorDetail detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return {};
  return {detail.obstacles().begin(), detail.obstacles().end()};
}

}  // namespace hourglass::issuance
