// The program as its users meet it: where a rotation stands, and what is planned.
#include "tools/hourglass/scripted_rotation.h"

namespace hourglass::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(RotationTest, TheStatusIsOneScreen) {
  const CommandResult status = Run("rotation status --tenant contoso");
  EXPECT_EQ(status.exit_code, 0) << status.output;
  EXPECT_EQ(script_.Last<v1::GetRotationRequest>().tenant_id(), "contoso");
  EXPECT_THAT(status.output, StartsWith("Tenant contoso, trust bundle version 7. r1 signs. r2 is "
                                        "staged.\n\nROOT  STATE    VALID UNTIL"));
  EXPECT_THAT(status.output, HasSubstr("\nr2    STAGED   "));
  EXPECT_THAT(
      status.output,
      HasSubstr("\nRELYING PARTY  FETCHED               ACKNOWLEDGED                            "
                "        SPOKEN FOR BY     TRUSTS r2\ngw-1           version 7, 4 min ago  version "
                "7, "));
  EXPECT_THAT(status.output, HasSubstr(" UTC (3 min ago)  caller-of-gw-1    yes\n"));
  EXPECT_THAT(status.output, testing::ContainsRegex(
                                 "\ngw-2 +never +never +caller-of-gw-2 +has not fetched it yet\n"));
  EXPECT_THAT(status.output, HasSubstr("\nnps            by hand               version 5, "));
  EXPECT_THAT(status.output, HasSubstr("an administrator  not attested yet\n"));
  EXPECT_THAT(status.output,
              HasSubstr("In the way of promoting r2:\n"
                        "  - NOT_ACKNOWLEDGED gw-2: never acknowledged anything\n"
                        "  - NOT_ACKNOWLEDGED nps: last acknowledged version 5\n  next: "));
  EXPECT_THAT(status.output, HasSubstr("\nNext: promote r2, due since "));
  EXPECT_THAT(status.output, HasSubstr(" ago); not safe yet: see what is in the way.\n"
                                       "  why: r1 ends in 60 days\n"
                                       "  then: hourglass roots promote --tenant contoso r2\n"
                                       "Policy: off, administrators rotate; stage 60 days before "
                                       "expiry, promote 30 days before, "));
  EXPECT_THAT(status.output, Not(HasSubstr("Attention")));
}

TEST_F(RotationTest, TheStatusInJsonHasAllOfIt) {
  const Json status = RunJson("rotation status --tenant contoso");
  EXPECT_EQ(status["tenant_id"], "contoso");
  EXPECT_EQ(status["bundle_version"], 7);
  EXPECT_EQ(status["stage"], "staged");
  EXPECT_EQ(status["roots"][1]["root_id"], "r2");
  EXPECT_EQ(status["relying_parties"][0]["acknowledged_version"], 7);
  EXPECT_EQ(status["relying_parties"][0]["acknowledged_by"], "caller-of-gw-1");
  EXPECT_EQ(status["relying_parties"][0]["trusts_staged_root"], "yes");
  EXPECT_EQ(status["relying_parties"][1]["trusts_staged_root"], "not yet");
  EXPECT_FALSE(status["relying_parties"][1].contains("acknowledged_at"));
  EXPECT_EQ(status["relying_parties"][0]["fetched_version"], 7);
  EXPECT_EQ(status["relying_parties"][0]["has_staged_root"], true);
  EXPECT_TRUE(status["relying_parties"][0].contains("fetched_at"));
  EXPECT_FALSE(status["relying_parties"][1].contains("fetched_at"));
  EXPECT_EQ(status["roots"][1]["bundle_version"], 6);
  EXPECT_EQ(status["relying_parties"][2]["manual"], true);
  EXPECT_EQ(status["obstacles"][1]["relying_party"], "nps");
  EXPECT_EQ(status["next_step"]["action"], "PROMOTE");
  EXPECT_EQ(status["next_step"]["root_id"], "r2");
  EXPECT_EQ(status["policy"]["mode"], "off");
  EXPECT_EQ(status["policy"]["stage_before_expiry_seconds"], 60 * 86400);
  EXPECT_FALSE(status.contains("ends_soon"));
}

TEST_F(RotationTest, WhoHasFetchedTheRootIsToldFromWhoHasNot) {
  v1::RelyingParty& party = *rotations_.rotation.mutable_relying_parties(1);
  const std::pair<std::uint64_t, bool> cases[] = {{0, false}, {5, false}, {6, true}, {7, true}};
  for (const auto& [version, has] : cases) {
    SetFetched(version, party);
    const std::string text = Run("rotation status --tenant contoso").output;
    EXPECT_EQ(text.find("has it, has not acknowledged it") != std::string::npos, has) << version;
    EXPECT_EQ(text.find("has not fetched it yet") != std::string::npos, !has) << version;
    const Json parties = RunJson("rotation status --tenant contoso")["relying_parties"];
    EXPECT_EQ(parties[1]["fetched_version"], version);
    EXPECT_EQ(parties[1]["has_staged_root"], has) << version;
    EXPECT_EQ(parties[1]["trusts_staged_root"], "not yet");
    EXPECT_FALSE(parties[2].contains("has_staged_root")) << "it is manual";
  }
  // Of a service that does not say since when the root is in the bundle.
  rotations_.rotation.mutable_roots(1)->clear_bundle_version();
  SetFetched(6, party);
  EXPECT_THAT(Run("rotation status --tenant contoso").output,
              testing::ContainsRegex("\ngw-2 +version 6, 4 min ago +never .* not yet\n"));
  EXPECT_FALSE(RunJson("rotation status --tenant contoso")["relying_parties"][1].contains(
      "has_staged_root"));
}

TEST_F(RotationTest, WhatNothingIsInTheWayOfIsSafe) {
  rotations_.rotation.clear_obstacles();
  // An older version may have the root already.
  *rotations_.rotation.mutable_relying_parties(1) = Party("gw-2", 6, false);
  *rotations_.rotation.mutable_relying_parties(2) = Party("nps", 6, true);
  EXPECT_THAT(
      Run("rotation status --tenant contoso").output,
      AllOf(HasSubstr("; it is safe now.\n"), Not(HasSubstr("In the way")), Not(HasSubstr("yet"))));
  EXPECT_EQ(RunJson("rotation status --tenant contoso")["obstacles"], Json::array());
}

TEST_F(RotationTest, WhereAcknowledgementsAreWaivedNobodyIsSaidToTrustARoot) {
  rotations_.rotation.clear_obstacles();
  rotations_.rotation.mutable_policy()->set_waive_acknowledgements(true);
  Json parties = RunJson("rotation status --tenant contoso")["relying_parties"];
  EXPECT_EQ(parties[0]["trusts_staged_root"], "yes");
  EXPECT_EQ(parties[1]["trusts_staged_root"], "not yet");
  EXPECT_EQ(parties[2]["trusts_staged_root"], "not yet");
  rotations_.rotation.mutable_roots(1)->clear_bundle_version();
  parties = RunJson("rotation status --tenant contoso")["relying_parties"];
  EXPECT_EQ(parties[1]["trusts_staged_root"], "not yet");
  EXPECT_EQ(parties[2]["trusts_staged_root"], "not known");
  EXPECT_THAT(Run("rotation status --tenant contoso").output,
              HasSubstr("; acknowledgements are waived\n"));
}

TEST_F(RotationTest, ARootIsRetiringUntilItsLastLeafHasExpired) {
  v1::Rotation& rotation = rotations_.rotation;
  rotation.clear_roots();
  rotation.clear_obstacles();
  AddRoot("r1", 1, v1::RETIRING, 60);
  AddRoot("r2", 2, v1::PRIMARY, 700);
  *rotation.mutable_roots(0)->mutable_last_leaf_not_after() =
      TimestampOf(now_ + absl::Seconds(42 * 60 + 30));
  *rotation.mutable_next_step() =
      Step(v1::RotationStep::RETIRE, "r1", absl::Minutes(42), "its last leaf has expired then");
  const std::string text = Run("rotation status --tenant contoso").output;
  EXPECT_THAT(text, HasSubstr("r2 signs. r1 is retiring: its last certificate expires "));
  EXPECT_THAT(text, HasSubstr("Next: retire r1, "));
  EXPECT_THAT(text, HasSubstr(" UTC (in 42 min); not before.\n"));
  EXPECT_THAT(text, HasSubstr("  then: hourglass roots retire --tenant contoso r1\n"));
  EXPECT_THAT(text, Not(HasSubstr("TRUSTS")));
  const Json json = RunJson("rotation status --tenant contoso");
  EXPECT_EQ(json["stage"], "retiring");
  EXPECT_FALSE(json["relying_parties"][0].contains("trusts_staged_root"));
}

TEST_F(RotationTest, WithoutARotationThereIsLittleToSay) {
  v1::Rotation& rotation = rotations_.rotation;
  rotation.clear_roots();
  rotation.clear_obstacles();
  rotation.clear_next_step();
  rotation.clear_relying_parties();
  AddRoot("r1", 1, v1::PRIMARY, 700);
  EXPECT_THAT(
      Run("rotation status --tenant contoso").output,
      AllOf(HasSubstr("r1 signs. No rotation is under way.\n"), HasSubstr("No relying parties: "),
            HasSubstr("relying-parties register --tenant contoso"),
            HasSubstr("Next: nothing, before the last root's end.\n")));
  const Json json = RunJson("rotation status --tenant contoso");
  EXPECT_EQ(json["stage"], "idle");
  EXPECT_FALSE(json.contains("next_step"));
  rotation.clear_roots();
  EXPECT_EQ(RunJson("rotation status --tenant contoso")["stage"], "no_primary");
  EXPECT_THAT(Run("rotation status --tenant contoso").output,
              AllOf(HasSubstr("No root signs: nothing is issued."), HasSubstr("No roots.\n")));
}

TEST_F(RotationTest, TheStatusSaysThatTheLastRootEndsSoon) {
  rotations_.rotation.clear_roots();
  AddRoot("r1", 1, v1::PRIMARY, 20);
  AddRoot("r0", 0, v1::RETIRING, 300);
  EXPECT_THAT(Run("rotation status --tenant contoso").output,
              HasSubstr("Attention: root r1, the last of the tenant that can sign, ends within 30 "
                        "days: "));
  EXPECT_EQ(RunJson("rotation status --tenant contoso")["ends_soon"]["within_days"], 30);
}

TEST_F(RotationTest, ARootIsStagedAsThePolicySays) {
  *rotations_.rotation.mutable_next_step() =
      Step(v1::RotationStep::STAGE, "", absl::Hours(24), "r1 ends soon");
  EXPECT_THAT(
      Run("rotation status --tenant contoso").output,
      HasSubstr("  then: hourglass roots create --tenant contoso --duration 730d --key-type "
                "ec-p384\n"));
  EXPECT_FALSE(RunJson("rotation status --tenant contoso")["next_step"].contains("root_id"));
}

TEST_F(RotationTest, NamesAndReasonsCannotForgeLines) {
  rotations_.rotation.mutable_next_step()->set_reason("well\nNext: nothing\x1b[2J");
  rotations_.rotation.mutable_relying_parties(0)->set_name("gw\nNext: nothing");
  EXPECT_THAT(Run("rotation status --tenant contoso").output,
              AllOf(HasSubstr("  why: well\\x0aNext: nothing\\x1b[2J\n"),
                    HasSubstr("gw\\x0aNext: nothing")));
}

TEST_F(RotationTest, ThePlanHasStepsInOrder) {
  *rotations_.plan.add_steps() = Step(v1::RotationStep::STAGE, "", absl::Hours(24), "r1 ends");
  *rotations_.plan.add_steps() =
      Step(v1::RotationStep::PROMOTE, "r2", absl::Hours(24 * 31), "30 days before");
  *rotations_.plan.add_steps() =
      Step(v1::RotationStep::RETIRE, "r1", absl::Hours(24 * 32), "after the last leaf");
  *rotations_.plan.mutable_policy() = rotations_.rotation.policy();
  const CommandResult plan = Run("rotation plan --tenant contoso");
  EXPECT_EQ(plan.exit_code, 0) << plan.output;
  EXPECT_FALSE(script_.Last<v1::PlanRotationRequest>().has_horizon());
  EXPECT_THAT(plan.output, HasSubstr(" UTC (in 24 h)     stage a new root  r1 ends\n"));
  EXPECT_THAT(plan.output, HasSubstr(" UTC (in 31 days)  promote r2        30 days before\n"));
  EXPECT_THAT(plan.output, HasSubstr("  retire r1         after the last leaf\n"));
  EXPECT_THAT(plan.output,
              HasSubstr("Nobody takes these steps but you: issuing.rotation.mode is off"));
  const Json json = RunJson("rotation plan --tenant contoso --horizon 2y");
  EXPECT_EQ(script_.Last<v1::PlanRotationRequest>().horizon().seconds(), 2 * 365 * 86400);
  ASSERT_EQ(json["steps"].size(), 3u);
  EXPECT_EQ(json["steps"][1]["action"], "PROMOTE");
  EXPECT_EQ(json["policy"]["key_type"], "ec-p384");
}

TEST_F(RotationTest, ThePlanSaysWhoTakesTheSteps) {
  *rotations_.plan.mutable_policy() = rotations_.rotation.policy();
  EXPECT_THAT(Run("rotation plan --tenant contoso").output, StartsWith("No steps.\nPolicy: off"));
  *rotations_.plan.add_steps() = Step(v1::RotationStep::STAGE, "", absl::Hours(24), "r1 ends");
  rotations_.plan.mutable_policy()->set_mode(v1::RotationPolicy::AUTOMATIC);
  EXPECT_THAT(Run("rotation plan --tenant contoso").output,
              AllOf(HasSubstr("Policy: automatic; "), HasSubstr("takes these steps by itself")));
  rotations_.plan.mutable_policy()->set_mode(v1::RotationPolicy::DRY_RUN);
  EXPECT_THAT(Run("rotation plan --tenant contoso").output,
              AllOf(HasSubstr("Policy: dry run, "), HasSubstr("and takes none")));
  EXPECT_EQ(RunJson("rotation plan --tenant contoso")["policy"]["mode"], "dry_run");
}

}  // namespace
}  // namespace hourglass::cli
