#include "issuance/wire/promotion_obstacles_payload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

v1::PromotionObstacle Obstacle(v1::PromotionObstacle::Kind kind, const std::string& relying_party,
                               const std::string& message) {
  v1::PromotionObstacle obstacle;
  obstacle.set_kind(kind);
  obstacle.set_relying_party(relying_party);
  obstacle.set_message(message);
  return obstacle;
}

absl::Status Blocked() { return Error(ErrorReason::kPromotionBlocked, "root_id", "is blocked"); }

TEST(PromotionObstaclesPayloadTest, AStatusCarriesThemInTheirOrder) {
  const std::vector<v1::PromotionObstacle> obstacles = {
      Obstacle(v1::PromotionObstacle::NOT_ACKNOWLEDGED, "vpn-1", "has acknowledged version 3"),
      Obstacle(v1::PromotionObstacle::KEY_CANNOT_SIGN, "", "KEY_NOT_FOUND: sch\xC3\xB6n")};
  absl::Status status = Blocked();
  AttachObstacles(obstacles, &status);
  // What it says beside stays.
  EXPECT_THAT(status, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  EXPECT_EQ(status.message(), Blocked().message());
  const absl::Status copy = status;
  const std::vector<v1::PromotionObstacle> carried = AttachedObstacles(copy);
  ASSERT_THAT(carried, SizeIs(2));
  for (std::size_t i = 0; i < carried.size(); ++i) {
    EXPECT_EQ(carried[i].SerializeAsString(), obstacles[i].SerializeAsString());
  }
}

TEST(PromotionObstaclesPayloadTest, TheLastAreThere) {
  absl::Status status = Blocked();
  AttachObstacles({Obstacle(v1::PromotionObstacle::NO_RELYING_PARTY, "", "none"),
                   Obstacle(v1::PromotionObstacle::ENDS_TOO_SOON, "", "ends")},
                  &status);
  AttachObstacles({Obstacle(v1::PromotionObstacle::NOT_YET_VALID, "", "begins")}, &status);
  const std::vector<v1::PromotionObstacle> carried = AttachedObstacles(status);
  ASSERT_THAT(carried, SizeIs(1));
  EXPECT_EQ(carried[0].kind(), v1::PromotionObstacle::NOT_YET_VALID);
}

TEST(PromotionObstaclesPayloadTest, OtherStatusesCarryNone) {
  EXPECT_THAT(AttachedObstacles(absl::OkStatus()), IsEmpty());
  EXPECT_THAT(AttachedObstacles(Blocked()), IsEmpty());
  EXPECT_THAT(AttachedObstacles(absl::InternalError("else")), IsEmpty());
}

// What a token says can be any octets, and a message with such a text could not be read.
TEST(PromotionObstaclesPayloadTest, TextsBecomeUtf8) {
  absl::Status status = Blocked();
  AttachObstacles({Obstacle(v1::PromotionObstacle::KEY_CANNOT_SIGN, "z\xFF", "a\xC3")}, &status);
  const std::vector<v1::PromotionObstacle> carried = AttachedObstacles(status);
  ASSERT_THAT(carried, SizeIs(1));
  EXPECT_EQ(carried[0].relying_party(), "z?");
  EXPECT_EQ(carried[0].message(), "a?");
}

}  // namespace
}  // namespace hourglass::issuance
