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

RelyingPartyRecord PartyThatHas(const std::string& name, std::uint64_t version,
                                const std::string& sha256 = "hash") {
  RelyingPartyRecord party;
  party.name = name;
  party.acknowledged_version = version;
  if (version != 0) party.acknowledged_sha256 = sha256;
  return party;
}

RootRecord RootSince(std::uint64_t version) {
  RootRecord root;
  root.bundle_version = version;
  return root;
}

TEST(StoreRulesTest, AnAcknowledgementIsOfTheVersionThatIsTheNewest) {
  const auto check = [](std::uint64_t had, std::uint64_t revision, std::uint64_t version,
                        const std::string& sha256 = "hash") {
    return CheckAcknowledgement(PartyThatHas("vpn", had), revision,
                                {"contoso", "vpn", "", version, sha256});
  };
  EXPECT_OK(check(0, 7, 7));
  EXPECT_OK(check(3, 7, 7));
  EXPECT_OK(check(3, 7, 7, "another")) << "of another version another document";
  EXPECT_OK(check(7, 7, 7)) << "the same again";
  EXPECT_THAT(check(7, 7, 7, "another"),
              FailsWith(ErrorReason::kBundleMismatch, "document_sha256"));
  EXPECT_THAT(check(7, 7, 7, ""), FailsWith(ErrorReason::kBundleMismatch, "document_sha256"));
  for (const std::uint64_t had : {0, 3, 6, 7}) {
    for (const std::uint64_t version : {1, 3, 6}) {
      EXPECT_THAT(check(had, 7, version), FailsWith(ErrorReason::kBundleOutdated, "version"))
          << had << " " << version;
    }
    for (const std::uint64_t version : {std::uint64_t{0}, std::uint64_t{8}, ~std::uint64_t{0}}) {
      EXPECT_THAT(check(had, 7, version), FailsWith(ErrorReason::kBundleUnknown, "version"))
          << had << " " << version;
    }
  }
  // A tenant without a root has no bundle that could be acknowledged.
  EXPECT_THAT(check(0, 0, 0), FailsWith(ErrorReason::kBundleUnknown, "version"));
  EXPECT_THAT(std::string(check(0, 7, 6).message()), HasSubstr("has version 7 by now"));
}

TEST(StoreRulesTest, OnlyWhoItWasAcknowledges) {
  RelyingPartyRecord party = PartyThatHas("vpn", 3);
  party.identity = "vpn-caller";
  RelyingPartyRecord manual = PartyThatHas("vpn", 3);
  manual.is_manual = true;
  RelyingPartyRecord manual_with_identity = manual;
  manual_with_identity.identity = "vpn-caller";
  const auto check = [](const RelyingPartyRecord& of, const std::string& identity,
                        std::uint64_t version = 7) {
    return CheckAcknowledgement(of, 7, {"contoso", "vpn", identity, version, "hash"});
  };
  const auto unknown = FailsWith(ErrorReason::kRelyingPartyUnknown, "name");
  EXPECT_OK(check(party, "vpn-caller"));
  for (const char* identity : {"", "vpn", "VPN-caller", "another-caller"}) {
    EXPECT_THAT(check(party, identity), unknown) << identity;
  }
  EXPECT_OK(check(manual, ""));
  EXPECT_OK(check(manual_with_identity, ""));
  EXPECT_THAT(check(manual, "vpn-caller"), unknown);
  EXPECT_THAT(check(manual_with_identity, "vpn-caller"), unknown);
  for (const std::uint64_t version : {0, 6, 8}) {
    EXPECT_THAT(check(party, "another-caller", version), unknown) << "of both the first";
  }
  EXPECT_THAT(check(party, "vpn-caller", 6), FailsWith(ErrorReason::kBundleOutdated, "version"));
}

TEST(StoreRulesTest, NobodyFetchesWithoutAnIdentity) {
  EXPECT_OK(CheckFetcher("vpn-caller"));
  EXPECT_THAT(CheckFetcher(""), FailsWith(ErrorReason::kInternalError, "identity"));
}

TEST(StoreRulesTest, ARootIsAcknowledgedWithEachVersionSinceItCame) {
  const std::vector<RelyingPartyRecord> parties = {
      PartyThatHas("never", 0), PartyThatHas("before", 4), PartyThatHas("with", 5),
      PartyThatHas("after", 9)};
  EXPECT_THAT(NotAcknowledgedBy(RootSince(5), parties), testing::ElementsAre("never", "before"));
  EXPECT_THAT(NotAcknowledgedBy(RootSince(10), parties),
              testing::ElementsAre("never", "before", "with", "after"));
  EXPECT_THAT(NotAcknowledgedBy(RootSince(1), parties), testing::ElementsAre("never"))
      << "who has acknowledged nothing trusts nothing";
  EXPECT_THAT(NotAcknowledgedBy(RootSince(0), parties),
              testing::ElementsAre("never", "before", "with", "after"))
      << "when it came is not known";
  EXPECT_THAT(NotAcknowledgedBy(RootSince(5), {}), testing::IsEmpty());
}

TEST(StoreRulesTest, APromotionAwaitsEachRelyingPartyAndThatThereIsOne) {
  const auto blocked = FailsWith(ErrorReason::kPromotionBlocked, "root_id");
  EXPECT_OK(CheckAcknowledged(RootSince(5), {PartyThatHas("a", 5)}));
  EXPECT_OK(CheckAcknowledged(RootSince(5), {PartyThatHas("a", 5), PartyThatHas("b", 6)}));
  EXPECT_THAT(CheckAcknowledged(RootSince(5), {}), blocked);
  EXPECT_THAT(CheckAcknowledged(RootSince(5), {PartyThatHas("a", 4)}), blocked);
  const absl::Status one_of_two =
      CheckAcknowledged(RootSince(5), {PartyThatHas("a", 5), PartyThatHas("nps-2", 0)});
  EXPECT_THAT(one_of_two, blocked);
  EXPECT_THAT(std::string(one_of_two.message()), testing::EndsWith("acknowledged by nps-2"));
  std::vector<RelyingPartyRecord> many;
  for (int i = 1; i <= 12; ++i) many.push_back(PartyThatHas(std::to_string(i), 0));
  EXPECT_THAT(std::string(CheckAcknowledged(RootSince(5), many).message()),
              testing::EndsWith("by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more"));
  many.resize(10);
  EXPECT_THAT(std::string(CheckAcknowledged(RootSince(5), many).message()),
              testing::EndsWith("by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"));
}

TEST(StoreRulesTest, EachChangeOfARootHasItsName) {
  const auto name = [](RootState from, RootState to) {
    return std::string(ActionOf({"root-1", from, to}));
  };
  EXPECT_EQ(name(RootState::kStaged, RootState::kPrimary), "root_promoted");
  EXPECT_EQ(name(RootState::kRetiring, RootState::kPrimary), "root_rolled_back");
  EXPECT_EQ(name(RootState::kPrimary, RootState::kRetiring), "root_demoted");
  EXPECT_EQ(name(RootState::kRetiring, RootState::kRetired), "root_retired");
  EXPECT_EQ(name(RootState::kStaged, RootState::kDiscarded), "root_discarded");
}

TEST(StoreRulesTest, RelyingPartiesAreRefusedByNameAndByIdentity) {
  EXPECT_THAT(RelyingPartyUnknown(), FailsWith(ErrorReason::kRelyingPartyUnknown, "name"));
  EXPECT_THAT(RelyingPartyExists("name"), FailsWith(ErrorReason::kRelyingPartyExists, "name"));
  EXPECT_THAT(RelyingPartyExists("identity"),
              FailsWith(ErrorReason::kRelyingPartyExists, "identity"));
}

}  // namespace
}  // namespace hourglass::issuance
