#include "issuance/store/store_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using testing::HasSubstr;

Intent IntentOf(std::uint64_t epoch, const std::string& root_id) {
  Intent intent;
  intent.tenant_id = "contoso";
  intent.epoch = epoch;
  intent.root_id = root_id;
  return intent;
}

TEST(StoreRulesTest, AnIntentIsOfTheEpochAndThePrimary) {
  const FencedTenant tenant = {7, "root-2"};
  EXPECT_OK(CheckIntent(&tenant, IntentOf(7, "root-2")));
  EXPECT_THAT(CheckIntent(nullptr, IntentOf(7, "root-2")), FailsWith(ErrorReason::kTenantUnknown));
  for (const Intent& outside :
       {IntentOf(6, "root-2"), IntentOf(8, "root-2"), IntentOf(7, "root-1"), IntentOf(7, "")}) {
    EXPECT_THAT(CheckIntent(&tenant, outside), FailsWith(ErrorReason::kPrimaryChanged))
        << outside.epoch << outside.root_id;
  }
  // Where nobody is primary nothing is issued, not even by a root without a name.
  const FencedTenant without = {7, ""};
  EXPECT_THAT(CheckIntent(&without, IntentOf(7, "")), FailsWith(ErrorReason::kPrimaryChanged));
}

TEST(StoreRulesTest, AReleaseIsOfTheEpochOfItsIntentAndOfTheTenant) {
  const FencedTenant tenant = {7, "root-2"};
  Release release;
  release.epoch = 7;
  EXPECT_OK(CheckRelease(&tenant, 7, release));
  EXPECT_THAT(CheckRelease(nullptr, 7, release), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(CheckRelease(&tenant, 6, release), FailsWith(ErrorReason::kPrimaryChanged));
  release.epoch = 6;
  EXPECT_THAT(CheckRelease(&tenant, 6, release), FailsWith(ErrorReason::kPrimaryChanged));
  EXPECT_THAT(CheckRelease(&tenant, 7, release), FailsWith(ErrorReason::kPrimaryChanged));
}

TEST(StoreRulesTest, WhatIsNotRecordedDoesNotIssue) {
  Intent intent = IntentOf(7, "root-2");
  EXPECT_OK(CheckIntermediateOf(intent, false));
  intent.intermediate_serial_number = "\x05";
  EXPECT_OK(CheckIntermediateOf(intent, true));
  EXPECT_THAT(CheckIntermediateOf(intent, false),
              FailsWith(ErrorReason::kInternalError, "intermediate_serial_number"));
}

TEST(StoreRulesTest, RootsBeginStaged) {
  RootRecord root;
  EXPECT_OK(CheckNewRoot(root));
  for (const RootState state :
       {RootState::kPrimary, RootState::kRetiring, RootState::kRetired, RootState::kDiscarded}) {
    root.state = state;
    EXPECT_THAT(CheckNewRoot(root), FailsWith(ErrorReason::kInternalError, "state"));
  }
}

TEST(StoreRulesTest, IntermediatesAreRecordedBeforeTheyAreSigned) {
  IntermediateRecord intermediate;
  EXPECT_OK(CheckNewIntermediate(intermediate));
  IntermediateRecord with_certificate = intermediate;
  with_certificate.certificate = "x";
  IntermediateRecord with_time = intermediate;
  with_time.released_at = Timestamp();
  for (const IntermediateRecord& late : {with_certificate, with_time}) {
    EXPECT_THAT(CheckNewIntermediate(late), FailsWith(ErrorReason::kInternalError, "certificate"));
  }
}

TEST(StoreRulesTest, TheEpochRisesWithThePrimary) {
  const RootStateChange enters = {"b", RootState::kStaged, RootState::kPrimary};
  const RootStateChange leaves = {"a", RootState::kPrimary, RootState::kRetiring};
  const RootStateChange neither = {"c", RootState::kRetiring, RootState::kRetired};
  EXPECT_TRUE(RaisesEpoch({enters}));
  EXPECT_TRUE(RaisesEpoch({neither, leaves}));
  EXPECT_FALSE(RaisesEpoch({neither}));
  EXPECT_FALSE(RaisesEpoch({}));
  std::vector<std::string> order;
  for (const RootStateChange& change : InOrder({enters, neither, leaves})) {
    order.push_back(change.root_id);
  }
  EXPECT_THAT(order, testing::ElementsAre("c", "a", "b"));
}

TEST(StoreRulesTest, SaysWhyAStateWasNotChanged) {
  RootRecord there;
  there.state = RootState::kRetired;
  const RootStateChange change = {"b", RootState::kStaged, RootState::kPrimary};
  EXPECT_THAT(WhyNotChanged(there, change), FailsWith(ErrorReason::kRootMoveIllegal, "root_id"));
  EXPECT_THAT(std::string(WhyNotChanged(there, change).message()),
              HasSubstr("the root is RETIRED, not STAGED"));
  there.state = RootState::kStaged;
  EXPECT_THAT(std::string(WhyNotChanged(there, change).message()),
              HasSubstr("another root is PRIMARY"));
}

TEST(StoreRulesTest, KeysOfRootsThatLiveAreNotDestroyed) {
  RootOfKey retired, discarded;
  retired.state = RootState::kRetired;
  discarded.state = RootState::kDiscarded;
  EXPECT_OK(CheckKeyDestroyed({}));
  EXPECT_OK(CheckKeyDestroyed({retired, discarded}));
  for (const RootState state : {RootState::kStaged, RootState::kPrimary, RootState::kRetiring}) {
    RootOfKey lives;
    lives.state = state;
    EXPECT_THAT(CheckKeyDestroyed({retired, lives}), FailsWith(ErrorReason::kInternalError));
  }
}

}  // namespace
}  // namespace hourglass::issuance
