#include "issuance/rotation/promotion_obstacles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using Kind = PromotionObstacle::Kind;
using std::chrono::hours;
using std::chrono::seconds;

constexpr ca::Time kNow = std::chrono::sys_days(std::chrono::year{2026} / 12 / 1);

RootRecord Root(std::uint64_t bundle_version) {
  RootRecord root;
  root.root_id = "r2";
  root.bundle_version = bundle_version;
  root.not_before = kNow - hours(1);
  root.not_after = kNow + hours(24 * 365);
  return root;
}

RelyingPartyRecord Party(const std::string& name, std::uint64_t acknowledged) {
  RelyingPartyRecord party;
  party.name = name;
  party.acknowledged_version = acknowledged;
  return party;
}

std::vector<std::string> NamesOf(const std::vector<PromotionObstacle>& obstacles) {
  std::vector<std::string> names;
  for (const PromotionObstacle& obstacle : obstacles) {
    EXPECT_EQ(obstacle.kind, Kind::kNotAcknowledged);
    EXPECT_THAT(obstacle.message, testing::HasSubstr("relying party " + obstacle.relying_party));
    names.push_back(obstacle.relying_party);
  }
  return names;
}

TEST(AcknowledgementObstaclesTest, EachThatDoesNotTrustTheRootIsInTheWay) {
  EXPECT_THAT(AcknowledgementObstacles(Root(7), {Party("a", 7), Party("b", 8)}),
              testing::IsEmpty());
  EXPECT_THAT(NamesOf(AcknowledgementObstacles(
                  Root(7), {Party("a", 6), Party("b", 7), Party("c", 0), Party("d", 9)})),
              testing::ElementsAre("a", "c"));
}

TEST(AcknowledgementObstaclesTest, SaysWhatIsMissing) {
  RelyingPartyRecord manual = Party("nps", 0);
  manual.is_manual = true;
  const auto obstacles = AcknowledgementObstacles(Root(7), {Party("vpn", 6), manual});
  ASSERT_EQ(obstacles.size(), 2u);
  EXPECT_EQ(obstacles[0].message,
            "relying party vpn has acknowledged version 6 of the trust bundle, and r2 is in it "
            "from version 7 on");
  EXPECT_EQ(obstacles[1].message,
            "relying party nps has acknowledged no trust bundle, and r2 is in it from version 7 "
            "on; an administrator attests for it");
}

TEST(AcknowledgementObstaclesTest, ThatNobodyCouldIsOne) {
  const auto obstacles = AcknowledgementObstacles(Root(7), {});
  ASSERT_EQ(obstacles.size(), 1u);
  EXPECT_EQ(obstacles[0].kind, Kind::kNoRelyingParty);
  EXPECT_EQ(obstacles[0].relying_party, "");
  EXPECT_THAT(obstacles[0].message, testing::HasSubstr("no relying party"));
}

// To the second: a root is good from its notBefore on, and a leaf may end with it.
TEST(TimeObstaclesTest, ARootIsValidNowAndAsLongAsItsLeaves) {
  struct Case {
    seconds begins;  // from now
    seconds ends;
    std::vector<Kind> obstacles;
  };
  const hours leaf(1);
  for (const Case& tried :
       std::vector<Case>{{-hours(1), hours(24), {}},
                         {seconds(0), hours(1), {}},
                         {seconds(1), hours(24), {Kind::kNotYetValid}},
                         {-hours(1), hours(1) - seconds(1), {Kind::kEndsTooSoon}},
                         {-hours(2), -hours(1), {Kind::kEndsTooSoon}},
                         {seconds(1), seconds(2), {Kind::kNotYetValid, Kind::kEndsTooSoon}}}) {
    RootRecord root = Root(1);
    root.not_before = kNow + tried.begins;
    root.not_after = kNow + tried.ends;
    std::vector<Kind> kinds;
    for (const PromotionObstacle& obstacle : TimeObstacles(root, kNow, leaf)) {
      kinds.push_back(obstacle.kind);
      EXPECT_EQ(obstacle.relying_party, "");
    }
    EXPECT_EQ(kinds, tried.obstacles) << tried.begins.count() << " " << tried.ends.count();
  }
  const auto obstacles = TimeObstacles(Root(1), kNow + hours(24 * 365), leaf);
  ASSERT_EQ(obstacles.size(), 1u);
  EXPECT_EQ(obstacles[0].message,
            "r2 ends at 2027-12-01 00:00:00 UTC, before a certificate that it issues now would");
}

TEST(PromotionBlockedTest, ListsAndCarriesEach) {
  const std::vector<PromotionObstacle> obstacles = {
      {Kind::kNotAcknowledged, "a", "a trusts nothing"},
      {Kind::kKeyCannotSign, "", "12:the token: is away\n5:"},
      {Kind::kNotYetValid, "", ""},
      {Kind::kNoRelyingParty, "", std::string("a\0b", 3)},
      {Kind::kEndsTooSoon, "7:x", "zu früh"},
  };
  const absl::Status status = PromotionBlocked(obstacles);
  EXPECT_THAT(status, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  EXPECT_EQ(ObstaclesOf(status), obstacles);
  EXPECT_THAT(std::string(status.message()),
              testing::StartsWith("root_id: cannot be promoted: a trusts nothing; 12:the token: is "
                                  "away\n5:; "));
}

TEST(PromotionBlockedTest, OtherErrorsCarryNone) {
  EXPECT_THAT(ObstaclesOf(absl::OkStatus()), testing::IsEmpty());
  EXPECT_THAT(ObstaclesOf(Error(ErrorReason::kRootUnknown, "root_id", "there is none")),
              testing::IsEmpty());
  // What another wrote there is no obstacle, nor a crash.
  for (const char* garbage : {"x", "0", "0:", "0:1:", "9:0:0:", "0:0:5:abc",
                              "-1:0:0:", "0:99999999999999999999:", "0:0:0:0"}) {
    absl::Status status = PromotionBlocked({{Kind::kKeyCannotSign, "", "m"}});
    ASSERT_EQ(ObstaclesOf(status).size(), 1u);
    status.SetPayload("hourglass/promotion-obstacles", absl::Cord(garbage));
    EXPECT_THAT(ObstaclesOf(status), testing::IsEmpty()) << garbage;
  }
}

}  // namespace
}  // namespace hourglass::issuance
