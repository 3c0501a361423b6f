// What a promotion awaits of the relying parties, in the transaction that makes it.
#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/conformance/store_conformance.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using ca::RootState;
using testing::ElementsAre;

const ChangeCause kByTheGateway = {SampleTime(20), "vpn-1-caller", ""};

std::uint64_t RevisionOf(Store& store) { return store.GetTenant(kSampleTenant)->revision; }

// As an order of a promotion that waits.
RootChangeOrder Awaiting() {
  RootChangeOrder order;
  order.now = SampleTime(30);
  order.caller = "administrator";
  order.awaits_acknowledgements = true;
  return order;
}

// root-2 in root-1's place.
absl::Status PromoteSecond(Store& store, std::uint64_t revision,
                           const RootChangeOrder& order = Awaiting()) {
  return store.ChangeRootStates(kSampleTenant, revision,
                                {{"root-2", RootState::kStaged, RootState::kPrimary},
                                 {"root-1", RootState::kPrimary, RootState::kRetiring}},
                                order);
}

// root-1 is the primary, root-2 staged since revision 3.
absl::Status StageSecond(Store& store) {
  const absl::Status added = AddSamplePrimary(store);
  return added.ok() ? store.AddRoot(SampleRoot(2)) : added;
}

TEST_P(RelyingPartyStoreConformance, APromotionAwaitsEveryRelyingParty) {
  ASSERT_OK(StageSecond(*store_));
  const auto blocked = FailsWith(ErrorReason::kPromotionBlocked, "root_id");
  const auto unchanged = [&] {
    return RevisionOf(*store_) == 3 && store_->GetTenant(kSampleTenant)->epoch == 1 &&
           store_->GetRoot(kSampleTenant, "root-1")->state == RootState::kPrimary &&
           store_->GetRoot(kSampleTenant, "root-2")->state == RootState::kStaged;
  };
  EXPECT_THAT(PromoteSecond(*store_, 3), blocked) << "there is no relying party";
  EXPECT_TRUE(unchanged());
  ASSERT_OK(store_->CreateTenant(SampleTenant("fabrikam")));
  ASSERT_OK(store_->AddRoot(SampleRoot(1, "fabrikam")));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1", "fabrikam"), SampleCause()));
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-1", 1, "fabrikam"), kByTheGateway));
  EXPECT_THAT(PromoteSecond(*store_, 3), blocked) << "that of another tenant counts for nothing";
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleManualParty("nps"), SampleCause()));
  EXPECT_THAT(PromoteSecond(*store_, 3), blocked);
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-1", 3), kByTheGateway));
  EXPECT_THAT(PromoteSecond(*store_, 3), blocked) << "the manual one has not";
  EXPECT_TRUE(unchanged());
  EXPECT_THAT(PromoteSecond(*store_, 2), FailsWith(ErrorReason::kPrimaryChanged))
      << "what is decided by an old revision is told so first";
  ASSERT_OK(store_->Acknowledge(SampleAttestation("nps", 3), SampleCause()));
  ASSERT_OK(PromoteSecond(*store_, 3));
  EXPECT_EQ(store_->GetRoot(kSampleTenant, "root-2")->state, RootState::kPrimary);
  EXPECT_EQ(store_->GetRoot(kSampleTenant, "root-2")->state_since, SampleTime(30));
}

TEST_P(RelyingPartyStoreConformance, AnAcknowledgementOfBeforeTheRootIsNone) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-1", 2), kByTheGateway));
  ASSERT_OK(store_->AddRoot(SampleRoot(2)));
  EXPECT_THAT(PromoteSecond(*store_, 3), FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-1", 3), kByTheGateway));
  // That the bundle changes again takes nothing away: the root is in it still.
  ASSERT_OK(store_->AddRoot(SampleRoot(3)));
  EXPECT_OK(PromoteSecond(*store_, 4));
  EXPECT_THAT(store_->ChangeRootStates(kSampleTenant, 5,
                                       {{"root-3", RootState::kStaged, RootState::kPrimary},
                                        {"root-2", RootState::kPrimary, RootState::kRetiring}},
                                       Awaiting()),
              FailsWith(ErrorReason::kPromotionBlocked, "root_id"))
      << "root-3 came after what was acknowledged";
}

TEST_P(RelyingPartyStoreConformance, WhereNobodyNeedBeAwaitedWhoIsThereIs) {
  ASSERT_OK(StageSecond(*store_));
  RootChangeOrder order = Awaiting();
  order.without_relying_parties = true;
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  EXPECT_THAT(PromoteSecond(*store_, 3, order), FailsWith(ErrorReason::kPromotionBlocked));
  ASSERT_OK(store_->RemoveRelyingParty(kSampleTenant, "vpn-1", SampleCause()));
  EXPECT_THAT(PromoteSecond(*store_, 3), FailsWith(ErrorReason::kPromotionBlocked));
  EXPECT_OK(PromoteSecond(*store_, 3, order));
}

TEST_P(RelyingPartyStoreConformance, OnlyPromotionsOfStagedRootsThatAwaitAreHeldUp) {
  ASSERT_OK(StageSecond(*store_));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRoot(SampleRoot(3)));
  ASSERT_OK(store_->ChangeRootStates(
      kSampleTenant, 4, {{"root-3", RootState::kStaged, RootState::kDiscarded}}, Awaiting()));
  EXPECT_THAT(PromoteSecond(*store_, 5), FailsWith(ErrorReason::kPromotionBlocked));
  RootChangeOrder order = Awaiting();
  order.awaits_acknowledgements = false;
  ASSERT_OK(PromoteSecond(*store_, 5, order));
  ASSERT_OK(store_->ChangeRootStates(kSampleTenant, 6,
                                     {{"root-1", RootState::kRetiring, RootState::kPrimary},
                                      {"root-2", RootState::kPrimary, RootState::kRetiring}},
                                     Awaiting()))
      << "back to what is trusted still";
  EXPECT_OK(store_->ChangeRootStates(
      kSampleTenant, 7, {{"root-2", RootState::kRetiring, RootState::kRetired}}, Awaiting()));
}

TEST_P(RelyingPartyStoreConformance, WhoIsRemovedHoldsUpNothing) {
  ASSERT_OK(StageSecond(*store_));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-2"), SampleCause()));
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-1", 3), kByTheGateway));
  EXPECT_THAT(PromoteSecond(*store_, 3), FailsWith(ErrorReason::kPromotionBlocked));
  ASSERT_OK(store_->RemoveRelyingParty(kSampleTenant, "vpn-2", SampleCause()));
  EXPECT_OK(PromoteSecond(*store_, 3));
}

// Two replicas: one looks, another registers a relying party, the first promotes.
TEST_P(RelyingPartyStoreConformance, ARegistrationAfterTheLookHoldsUpThePromotion) {
  ASSERT_OK(StageSecond(*store_));
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-1", 3), kByTheGateway));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  const std::vector<RelyingPartyRecord> looked = store_->ListRelyingParties(kSampleTenant).value();
  ASSERT_EQ(looked.size(), 1u);
  ASSERT_EQ(looked[0].acknowledged_version, 3u) << "nothing is in the way";
  ASSERT_OK(other->AddRelyingParty(SampleRelyingParty("vpn-2"), SampleCause()));
  EXPECT_THAT(PromoteSecond(*store_, 3), FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
  EXPECT_EQ(RevisionOf(*other), 3u);
  ASSERT_OK(other->Acknowledge(SampleAcknowledgement("vpn-2", 3), kByTheGateway));
  EXPECT_OK(PromoteSecond(*store_, 3));
}

// A round of roots: the next one is staged and acknowledged or not, while it is promoted.
TEST_P(RelyingPartyStoreConformance, AnAcknowledgementAndAPromotionAtOnceAreOneAfterTheOther) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-1"), SampleCause()));
  int primary = 1;
  for (int generation = 2; generation <= 21; ++generation) {
    ASSERT_OK(store_->AddRoot(SampleRoot(generation)));
    const std::uint64_t version = RevisionOf(*store_);
    absl::Status acknowledged, promoted;
    std::thread acknowledges([&] {
      acknowledged =
          other->Acknowledge(SampleAcknowledgement("vpn-1", version), kByTheGateway).status();
    });
    promoted = store_->ChangeRootStates(
        kSampleTenant, version,
        {{absl::StrCat("root-", generation), RootState::kStaged, RootState::kPrimary},
         {absl::StrCat("root-", primary), RootState::kPrimary, RootState::kRetiring}},
        Awaiting());
    acknowledges.join();
    ASSERT_OK(acknowledged) << "a promotion without it cannot have come first";
    const std::vector<RelyingPartyRecord> parties =
        store_->ListRelyingParties(kSampleTenant).value();
    EXPECT_EQ(parties.at(0).acknowledged_version, version);
    if (promoted.ok()) {
      primary = generation;
      EXPECT_EQ(RevisionOf(*other), version + 1);
    } else {
      EXPECT_THAT(promoted, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
      EXPECT_EQ(RevisionOf(*other), version);
    }
    EXPECT_EQ(store_->GetRoot(kSampleTenant, absl::StrCat("root-", primary))->state,
              RootState::kPrimary);
  }
}

// However they fall: no root is primary that a relying party of then had not acknowledged.
TEST_P(RelyingPartyStoreConformance, ARegistrationAndAPromotionAtOnceAreOneAfterTheOther) {
  ASSERT_OK(AddSamplePrimary(*store_));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Store> other, place_->Open());
  ASSERT_OK(store_->AddRelyingParty(SampleRelyingParty("vpn-0"), SampleCause()));
  int primary = 1;
  for (int generation = 2; generation <= 21; ++generation) {
    ASSERT_OK(store_->AddRoot(SampleRoot(generation)));
    const std::uint64_t version = RevisionOf(*store_);
    ASSERT_OK(store_->Acknowledge(SampleAcknowledgement("vpn-0", version), kByTheGateway));
    const std::string name = absl::StrCat("late-", generation);
    absl::Status registered, promoted;
    std::thread registers(
        [&] { registered = other->AddRelyingParty(SampleRelyingParty(name), SampleCause()); });
    promoted = store_->ChangeRootStates(
        kSampleTenant, version,
        {{absl::StrCat("root-", generation), RootState::kStaged, RootState::kPrimary},
         {absl::StrCat("root-", primary), RootState::kPrimary, RootState::kRetiring}},
        Awaiting());
    registers.join();
    ASSERT_OK(registered);
    std::vector<std::string> actions = ActionsOf(*store_);
    actions.resize(2);
    const std::string registration = absl::StrCat("relying_party_registered ", name);
    if (promoted.ok()) {
      primary = generation;
      EXPECT_EQ(actions[0], registration) << "it came after the promotion";
    } else {
      EXPECT_THAT(promoted, FailsWith(ErrorReason::kPromotionBlocked, "root_id"));
      EXPECT_THAT(actions,
                  ElementsAre(registration, absl::StrCat("root_created root-", generation)));
    }
    ASSERT_OK(store_->RemoveRelyingParty(kSampleTenant, name, SampleCause()));
  }
}

}  // namespace
}  // namespace hourglass::issuance
