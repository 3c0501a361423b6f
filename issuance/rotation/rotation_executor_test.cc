// Rotations as the service does them by itself, with a database and keys in files.
#include "issuance/rotation/rotation_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "ca/issuers/root_certificate.h"
#include "hsm/base/error.h"
#include "issuance/rotation/rotation_planner.h"
#include "issuance/rotation/testing/rotation_executor_fixture.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(RotationExecutorTest, RotatesStepByStep) {
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY"));
  Advance(40 * kDay);
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED"));
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED")) << "one is enough";
  Acknowledge();
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED")) << "it is not due yet";
  Advance(30 * kDay);
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 RETIRING", "r2 PRIMARY"));
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 RETIRING", "r2 PRIMARY"));
  Advance(kTimeToGoBack - std::chrono::seconds(1));
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 RETIRING", "r2 PRIMARY")) << "one can go back to it";
  Advance(std::chrono::seconds(2));
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 RETIRED", "r2 PRIMARY"));
  EXPECT_THAT(Done(), ElementsAre("root_created r2", "root_demoted r1", "root_promoted r2",
                                  "root_retired r1"));
  EXPECT_THAT(Said(), ElementsAre("rotation_step_done stager2", "rotation_step_done promoter2",
                                  "rotation_step_done retirer1"));
  EXPECT_EQ(KeyFiles(), 3u) << "the key of a retired root is kept";
  // Another tenant's roots are its administrators'.
  EXPECT_EQ(store().ListRoots("fabrikam").value().size(), 1u);
}

TEST_F(RotationExecutorTest, MakesTheRootThatThePolicySays) {
  contoso_.rotation.root_duration = 90 * kDay;
  contoso_.rotation.key_type = hsm::KeyType::kEcP384;
  Restart();
  Advance(40 * kDay);
  Pass();
  ASSERT_EQ(Roots().size(), 2u);
  const RootRecord root = Roots()[1];
  EXPECT_EQ(root.key_type, hsm::KeyType::kEcP384);
  EXPECT_EQ(root.not_after, std::chrono::floor<std::chrono::seconds>(clock_.Now()) + 90 * kDay);
  EXPECT_EQ(root.created_by, "hourglassd");
  EXPECT_EQ(root.request_id, "hourglassd:rotation:2");
  EXPECT_TRUE(root.key_made_for_root);
  ASSERT_OK_AND_ASSIGN(const auto certificate, ca::RootCertificate::Parse(root.certificate));
  EXPECT_FALSE(certificate.allows_issuing_sub_keys());
}

// Whether intermediates may come under a root cannot be changed later.
TEST_F(RotationExecutorTest, TheConfigurationMayWantSubKeys) {
  contoso_.sub_key.enabled = true;
  Restart();
  Advance(40 * kDay);
  Pass();
  ASSERT_EQ(Roots().size(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto certificate, ca::RootCertificate::Parse(Roots()[1].certificate));
  EXPECT_TRUE(certificate.allows_issuing_sub_keys());
}

class SubKeyRotationTest : public RotationExecutorTest {
 protected:
  SubKeyRotationTest() { primaries_allow_sub_keys_ = true; }
};

TEST_F(SubKeyRotationTest, ASuccessorMayBeUsedAsItsPredecessorIs) {
  Advance(40 * kDay);
  Pass();
  ASSERT_EQ(Roots().size(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto certificate, ca::RootCertificate::Parse(Roots()[1].certificate));
  EXPECT_TRUE(certificate.allows_issuing_sub_keys());
}

TEST_F(RotationExecutorTest, OffLeavesAllToAdministrators) {
  contoso_.rotation.mode = RotationMode::kOff;
  Restart();
  Advance(99 * kDay);
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY"));
  EXPECT_THAT(Said(), IsEmpty());
}

TEST_F(RotationExecutorTest, ADryRunSaysEachStepOnceAndDoesNothing) {
  contoso_.rotation.mode = RotationMode::kDryRun;
  Restart();
  Pass();
  EXPECT_THAT(Said(), IsEmpty());
  Advance(40 * kDay);
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_step_due stage"));
  EXPECT_EQ(last_line_["tenant"], "contoso");
  EXPECT_THAT(last_line_["message"], HasSubstr("r1 ends at"));
  Advance(kDay);
  Pass();
  EXPECT_THAT(Said(), IsEmpty());
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY"));
  EXPECT_THAT(Done(), IsEmpty());
  // An administrator does it, and the next is another step.
  RootOrder order;
  order.tenant_id = "contoso";
  order.duration = 400 * kDay;
  order.key_type = hsm::KeyType::kEcP256;
  ASSERT_OK(process_->roots.Create(order));
  Acknowledge();
  Advance(30 * kDay);
  Pass();
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_step_due promoter2"));
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED"));
}

TEST_F(RotationExecutorTest, WhatIsInTheWayIsSaidWhenItChanges) {
  Advance(40 * kDay);
  Pass();
  Said();
  Advance(30 * kDay);
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_blocked r2"));
  EXPECT_THAT(last_line_["message"], HasSubstr("relying party vpn has acknowledged no"));
  Pass();
  EXPECT_THAT(Said(), IsEmpty());
  RelyingPartyRecord party;
  party.tenant_id = "contoso";
  party.name = "nps";
  party.is_manual = true;
  ASSERT_OK(store().AddRelyingParty(party, {clock_.Now(), "admin", ""}));
  Pass();
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_blocked r2"));
  EXPECT_THAT(last_line_["message"], HasSubstr("relying party nps"));
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED"));
  Acknowledge();
  ASSERT_OK(store().RemoveRelyingParty("contoso", "nps", {clock_.Now(), "admin", "gone"}));
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_step_done promoter2"));
}

TEST_F(RotationExecutorTest, AKeyThatCannotSignIsSaidOnce) {
  Advance(40 * kDay);
  Pass();
  Acknowledge();
  const std::string uri = Roots()[1].key_uri;
  ASSERT_OK(process_->keys->Destroy(uri));
  Said();
  Advance(30 * kDay);
  Pass();
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_blocked r2"));
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED"));
}

TEST_F(RotationExecutorTest, AKeyThatCannotSignKeepsNoOtherSuccessorAway) {
  Advance(40 * kDay);
  Pass();
  RootOrder order;
  order.tenant_id = "contoso";
  order.duration = 800 * kDay;
  order.key_type = hsm::KeyType::kEcP256;
  ASSERT_OK(process_->roots.Create(order));
  Acknowledge();
  ASSERT_OK(process_->keys->Destroy(Roots()[2].key_uri));
  Advance(30 * kDay);
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 RETIRING", "r2 PRIMARY", "r3 STAGED"));
}

TEST_F(RotationExecutorTest, APolicyMayWaiveAcknowledgements) {
  ASSERT_OK(store().RemoveRelyingParty("contoso", "vpn", {clock_.Now(), "admin", "gone"}));
  Advance(40 * kDay);
  Pass();
  Advance(30 * kDay);
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED"));
  contoso_.rotation.waive_acknowledgements = true;
  Restart();
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 RETIRING", "r2 PRIMARY"));
}

// Its request id is not that of the one that was discarded.
TEST_F(RotationExecutorTest, ADiscardedSuccessorIsFollowedByAnother) {
  Advance(40 * kDay);
  Pass();
  ASSERT_OK(process_->roots.Discard("contoso", "r2", KeyFate::kDestroy));
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 DISCARDED", "r3 STAGED"));
}

TEST_F(RotationExecutorTest, AClockThatIsDoubtedDecidesNothing) {
  Advance(40 * kDay);
  clock_.believed = false;
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY"));
  EXPECT_THAT(Said(), IsEmpty());
  clock_.believed = true;
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED"));
}

TEST_F(RotationExecutorTest, WhatFailsIsSaidAndTriedAgain) {
  contoso_.quota.roots = 1;
  Restart();
  Advance(40 * kDay);
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_failed "));
  EXPECT_EQ(last_line_["reason"], "QUOTA_EXCEEDED");
  EXPECT_EQ(last_line_["tenant"], "contoso");
  Pass();
  EXPECT_THAT(Said(), ElementsAre("rotation_failed "));
  contoso_.quota.roots = 2;
  Restart();
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY", "r2 STAGED"));
}

TEST_F(RotationExecutorTest, AStoppedOneDoesNothing) {
  Advance(40 * kDay);
  process_->executor.Stop();
  Pass();
  EXPECT_THAT(States(), ElementsAre("r1 PRIMARY"));
}

// Two processes of the service that begin at once.
TEST_F(RotationExecutorTest, TwoMakeOneRoot) {
  for (int round = 0; round < 5; ++round) {
    Advance(round == 0 ? 80 * kDay : 700 * kDay);
    const std::size_t before = Roots().size();
    Process other(Database(), Places(), contoso_, &entropy_, &clock_, log_.log());
    std::thread thread([&] { other.executor.Pass(); });
    Pass();
    thread.join();
    Pass();  // where each kept the other from it
    EXPECT_EQ(Roots().size(), before + 1);
    EXPECT_EQ(KeyFiles(), Roots().size() + 1);
    EXPECT_THAT(store().ListPlannedKeys("contoso").value(), IsEmpty());
    Acknowledge();
    Pass();
    Advance(kTimeToGoBack + std::chrono::seconds(1));
    Pass();
  }
}

}  // namespace
}  // namespace hourglass::issuance
