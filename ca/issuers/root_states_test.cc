#include "ca/issuers/root_states.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using std::chrono::seconds;

constexpr RootState kStates[] = {RootState::kStaged, RootState::kPrimary, RootState::kRetiring,
                                 RootState::kRetired, RootState::kDiscarded};
constexpr RootMove kMoves[] = {RootMove::kPromote, RootMove::kRollBack, RootMove::kDemote,
                               RootMove::kRetire, RootMove::kDiscard};
constexpr Time kNow(seconds(1'800'000'000));

RootFacts Facts(RootState state) {
  return {.state = state,
          .last_leaf_not_after = std::nullopt,
          .not_after = kNow + seconds(1),
          .now = kNow};
}

// Everything that is not here is refused.
TEST(RootStatesTest, EveryStateAndMove) {
  const std::map<std::pair<RootState, RootMove>, RootState> legal = {
      {{RootState::kStaged, RootMove::kPromote}, RootState::kPrimary},
      {{RootState::kStaged, RootMove::kDiscard}, RootState::kDiscarded},
      {{RootState::kPrimary, RootMove::kDemote}, RootState::kRetiring},
      {{RootState::kRetiring, RootMove::kRollBack}, RootState::kPrimary},
      {{RootState::kRetiring, RootMove::kRetire}, RootState::kRetired},
  };
  for (const RootState state : kStates) {
    for (const RootMove move : kMoves) {
      const absl::StatusOr<RootState> after = StateAfter(Facts(state), move);
      const auto expected = legal.find({state, move});
      if (expected == legal.end()) {
        EXPECT_THAT(after, FailsWith(ErrorReason::kRootMoveIllegal, "root_id"))
            << RootStateName(state) << " " << RootMoveName(move);
      } else {
        ASSERT_OK(after) << RootStateName(state) << " " << RootMoveName(move);
        EXPECT_EQ(*after, expected->second);
      }
    }
  }
}

std::string Refusal(const RootFacts& facts, RootMove move) {
  return std::string(StateAfter(facts, move).status().message());
}

TEST(RootStatesTest, AStateIsFoundByItsWholeName) {
  for (const RootState state : {RootState::kStaged, RootState::kPrimary, RootState::kRetiring,
                                RootState::kRetired, RootState::kDiscarded}) {
    EXPECT_EQ(RootStateNamed(RootStateName(state)), state);
  }
  for (const char* name : {"", "staged", "STAGED ", "STAGE", "UNKNOWN"}) {
    EXPECT_EQ(RootStateNamed(name), std::nullopt) << name;
  }
}

TEST(RootStatesTest, RefusalsNameTheLegalMoves) {
  EXPECT_EQ(Refusal(Facts(RootState::kStaged), RootMove::kRetire),
            "root_id: cannot retire a root that is STAGED; legal from there: promote, discard");
  EXPECT_EQ(Refusal(Facts(RootState::kPrimary), RootMove::kDiscard),
            "root_id: cannot discard a root that is PRIMARY; it becomes RETIRING when another root "
            "is promoted");
  EXPECT_EQ(Refusal(Facts(RootState::kRetiring), RootMove::kPromote),
            "root_id: cannot promote a root that is RETIRING; legal from there: roll back to it, "
            "retire");
  EXPECT_EQ(Refusal(Facts(RootState::kStaged), RootMove::kRollBack),
            "root_id: cannot roll back to a root that is STAGED; legal from there: promote, "
            "discard");
  EXPECT_EQ(Refusal(Facts(RootState::kRetired), RootMove::kPromote),
            "root_id: cannot promote a root that is RETIRED; no move is legal from there");
}

TEST(RootStatesTest, AnExpiredRootBecomesNoPrimary) {
  const std::pair<RootState, RootMove> ways[] = {{RootState::kStaged, RootMove::kPromote},
                                                 {RootState::kRetiring, RootMove::kRollBack}};
  for (const auto& [state, move] : ways) {
    RootFacts facts = Facts(state);
    facts.not_after = kNow;  // the last second belongs to the validity
    EXPECT_OK(StateAfter(facts, move));
    facts.not_after = kNow - seconds(1);
    EXPECT_EQ(Refusal(facts, move), absl::StrCat("root_id: cannot ", RootMoveName(move),
                                                 " a root that expired at 2027-01-15 07:59:59 "
                                                 "UTC"));
    EXPECT_THAT(StateAfter(facts, move), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  }
}

TEST(RootStatesTest, RetiresAfterItsLastLeaf) {
  RootFacts facts = Facts(RootState::kRetiring);
  facts.last_leaf_not_after = kNow;  // still valid in this second
  EXPECT_EQ(Refusal(facts, RootMove::kRetire),
            "root_id: cannot retire before its last certificate has expired; legal after "
            "2027-01-15 08:00:00 UTC");
  facts.last_leaf_not_after = kNow - seconds(1);
  EXPECT_OK(StateAfter(facts, RootMove::kRetire));
}

TEST(RootStatesTest, TrustBundle) {
  EXPECT_TRUE(InTrustBundle(RootState::kStaged));
  EXPECT_TRUE(InTrustBundle(RootState::kPrimary));
  EXPECT_TRUE(InTrustBundle(RootState::kRetiring));
  EXPECT_FALSE(InTrustBundle(RootState::kRetired));
  EXPECT_FALSE(InTrustBundle(RootState::kDiscarded));
}

TEST(RootStatesTest, KeepsTheKeysOfRootsThatHaveNotEnded) {
  EXPECT_TRUE(NeedsItsKey(RootState::kStaged));
  EXPECT_TRUE(NeedsItsKey(RootState::kPrimary));
  EXPECT_TRUE(NeedsItsKey(RootState::kRetiring));
  EXPECT_FALSE(NeedsItsKey(RootState::kRetired));
  EXPECT_FALSE(NeedsItsKey(RootState::kDiscarded));
}

}  // namespace
}  // namespace hourglass::ca
