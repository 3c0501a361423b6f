// The program as its users meet it: promotions, what is in their way and back again; what an
// administrator does with an exported root; and roots that end soon.
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tools/hourglass/scripted_service.h"

namespace hourglass::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class PromotionTest : public HourglassTest {
 protected:
  // A root beside r1, which ends in so many days and half a day.
  v1::Root OtherRoot(const std::string& root_id, v1::RootState state, int days) const {
    v1::Root root = roots_.root;
    root.set_root_id(root_id);
    root.set_state(state);
    *root.mutable_not_after() = TimestampOf(absl::Now() + absl::Hours(24 * days + 12));
    *root.mutable_state_since() = TimestampOf(absl::Now());
    return root;
  }

  // The SHA-1 of the exported root as openssl prints it, without what stands before it.
  std::string OpensslThumbprint(const std::string& file) const {
    std::string thumbprint =
        OpensslSays(absl::StrCat("x509 -in ", file, " -noout -fingerprint -sha1"));
    thumbprint.erase(0, thumbprint.find('=') + 1);
    std::erase(thumbprint, '\n');
    return thumbprint;
  }

  int Asked(const google::protobuf::Message& request) const {
    const auto found = script_.asked.find(request.GetTypeName());
    return found == script_.asked.end() ? 0 : static_cast<int>(found->second.size());
  }
};

TEST_F(PromotionTest, APlainPromotionOverridesNothing) {
  EXPECT_EQ(Run("roots promote --tenant contoso r2").exit_code, 0);
  const auto request = script_.Last<v1::PromoteRootRequest>();
  EXPECT_EQ(request.tenant_id(), "contoso");
  EXPECT_EQ(request.root_id(), "r2");
  EXPECT_EQ(request.override_reason(), "");
  EXPECT_FALSE(request.without_relying_parties());
}

TEST_F(PromotionTest, AnOverrideHasItsReason) {
  EXPECT_EQ(Run({"roots", "promote", "--tenant", "contoso", "r2", "--override",
                 "key of r1 may be stolen"})
                .exit_code,
            0);
  EXPECT_EQ(script_.Last<v1::PromoteRootRequest>().override_reason(), "key of r1 may be stolen");
  EXPECT_FALSE(script_.Last<v1::PromoteRootRequest>().without_relying_parties());
}

TEST_F(PromotionTest, YesSaysThatThereIsNoRelyingParty) {
  EXPECT_EQ(Run("roots promote --tenant contoso r2 --yes").exit_code, 0);
  EXPECT_TRUE(script_.Last<v1::PromoteRootRequest>().without_relying_parties());
  EXPECT_EQ(script_.Last<v1::PromoteRootRequest>().override_reason(), "");
  EXPECT_THAT(RunCommand({kProgram, "roots", "promote", "--help"}).output,
              AllOf(HasSubstr("--yes"), HasSubstr("no relying party on record")));
}

TEST_F(PromotionTest, AReasonIsOneOrNotGiven) {
  const std::vector<std::pair<std::string, int>> cases = {{"", 2},
                                                          {"x", 0},
                                                          {std::string(256, 'x'), 0},
                                                          {std::string(257, 'x'), 2},
                                                          {"broken \xff", 2}};
  for (const auto& [reason, exit_code] : cases) {
    for (const std::string verb : {"promote", "rollback"}) {
      const std::string option = verb == "promote" ? "--override" : "--reason";
      EXPECT_EQ(Run({"roots", verb, "--tenant", "contoso", "r2", option, reason}).exit_code,
                exit_code)
          << verb << " " << reason;
    }
  }
  EXPECT_EQ(Asked(v1::PromoteRootRequest()), 2);
  EXPECT_EQ(Asked(v1::RollBackRootRequest()), 2);
}

TEST_F(PromotionTest, WhatIsInTheWayIsToldOneALineAndWhatToDo) {
  using Kind = v1::PromotionObstacle;
  script_.status =
      BlockedBy({Obstacle(Kind::NOT_ACKNOWLEDGED, "last acknowledged version 3", "gw-1"),
                 Obstacle(Kind::NOT_ACKNOWLEDGED, "never\nacknowledged", "gw-2"),
                 Obstacle(Kind::KEY_CANNOT_SIGN, "the token is away")});
  const CommandResult refused = Run("roots promote --tenant contoso r2");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              StartsWith("hourglass: PROMOTION_BLOCKED: root_id: the promotion is blocked\n"
                         "  - NOT_ACKNOWLEDGED gw-1: last acknowledged version 3\n"
                         "  - NOT_ACKNOWLEDGED gw-2: never\\x0aacknowledged\n"
                         "  - KEY_CANNOT_SIGN: the token is away\n"
                         "  next: have it follow the trust bundle (hourglass-bundle sync)"));
  EXPECT_THAT(refused.output, AllOf(HasSubstr("--override REASON"), HasSubstr("relying-parties"),
                                    HasSubstr("hourglass keys list"), Not(HasSubstr("--yes"))));
  const std::string once = "hourglass-bundle sync";
  EXPECT_EQ(refused.output.find(once), refused.output.rfind(once));

  const Json error = Json::parse(Run("roots promote --tenant contoso r2 --json").output)["error"];
  EXPECT_EQ(error["reason"], "PROMOTION_BLOCKED");
  ASSERT_EQ(error["obstacles"].size(), 3u);
  EXPECT_EQ(error["obstacles"][0]["kind"], "NOT_ACKNOWLEDGED");
  EXPECT_EQ(error["obstacles"][0]["relying_party"], "gw-1");
  EXPECT_EQ(error["obstacles"][0]["message"], "last acknowledged version 3");
  EXPECT_FALSE(error["obstacles"][2].contains("relying_party"));
}

TEST_F(PromotionTest, WithoutRelyingPartiesOneIsToldOfYes) {
  script_.status = BlockedBy(
      {Obstacle(v1::PromotionObstacle::NO_RELYING_PARTY, "the tenant has no relying party")});
  const CommandResult refused = Run("roots promote --tenant contoso r2");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("  - NO_RELYING_PARTY: the tenant has no relying party\n"));
  EXPECT_THAT(refused.output, AllOf(HasSubstr("hourglass relying-parties register"),
                                    HasSubstr("roots promote --yes\n")));
}

TEST_F(PromotionTest, EachObstacleHasItsAdvice) {
  const std::pair<v1::PromotionObstacle::Kind, const char*> cases[] = {
      {v1::PromotionObstacle::ENDS_TOO_SOON, "  next: make a root that lasts longer"},
      {v1::PromotionObstacle::NOT_YET_VALID, "  next: check the clock of the service's machine"},
  };
  for (const auto& [kind, expected] : cases) {
    script_.status = BlockedBy({Obstacle(kind, "so it is")});
    EXPECT_THAT(Run("roots promote --tenant contoso r2").output, HasSubstr(expected));
  }
}

TEST_F(PromotionTest, ARootThatCouldNotBePromotedIsThereAllTheSame) {
  script_.status = BlockedBy({Obstacle(v1::PromotionObstacle::NOT_ACKNOWLEDGED, "never", "gw-1")});
  const CommandResult created =
      Run("roots create --tenant contoso --duration 1y --key-type ec-p256 --primary");
  EXPECT_EQ(created.exit_code, 1);
  EXPECT_THAT(created.output, AllOf(HasSubstr("the root was made and is staged"),
                                    HasSubstr("  - NOT_ACKNOWLEDGED gw-1: never\n"),
                                    Not(HasSubstr("--request-id"))));
}

TEST_F(PromotionTest, APromotionSaysHowToGoBack) {
  EXPECT_THAT(Run("roots promote --tenant contoso r2").output, Not(HasSubstr("rollback")));
  roots_.root.set_state(v1::RETIRING);
  *roots_.root.mutable_state_since() = TimestampOf(absl::Now() - absl::Hours(9));
  roots_.others = {OtherRoot("r3", v1::RETIRING, 400)};
  // The one before the present one, not the one before that.
  EXPECT_THAT(Run("roots promote --tenant contoso r4").output,
              AllOf(HasSubstr("go back: hourglass roots rollback --tenant contoso r3\n"),
                    Not(HasSubstr("rollback --tenant contoso r1"))));
}

TEST_F(PromotionTest, ARollbackNamesTheRootAndTheReason) {
  const CommandResult back =
      Run({"roots", "rollback", "--tenant", "contoso", "r1", "--reason", "a gateway refuses r2"});
  EXPECT_EQ(back.exit_code, 0) << back.output;
  EXPECT_THAT(back.output, StartsWith("Went back to root r1: it is primary again.\n"));
  const auto request = script_.Last<v1::RollBackRootRequest>();
  EXPECT_EQ(request.tenant_id(), "contoso");
  EXPECT_EQ(request.root_id(), "r1");
  EXPECT_EQ(request.reason(), "a gateway refuses r2");
  EXPECT_EQ(RunJson("roots rollback --tenant contoso r1")["state"], "PRIMARY");
  EXPECT_EQ(script_.Last<v1::RollBackRootRequest>().reason(), "");
}

TEST_F(PromotionTest, ARollbackThatIsNotLegalIsRefused) {
  script_.status =
      issuance::ToGrpcStatus(Error(ErrorReason::kRootMoveIllegal, "root_id", "r1 is RETIRED"));
  const CommandResult refused = Run("roots rollback --tenant contoso r1");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, StartsWith("hourglass: ROOT_MOVE_ILLEGAL: root_id: r1 is RETIRED\n"));
}

TEST_F(PromotionTest, AnExportSaysWhatToDoOnWindows) {
  for (const std::string format : {"pem", "der"}) {
    const std::string file = service_.directory().File("r1." + format);
    const std::string words =
        absl::StrCat("roots export --tenant contoso r1 --format ", format, " --out ", file);
    const CommandResult exported = Run(words);
    EXPECT_EQ(exported.exit_code, 0);
    // Of openssl: `5A:89:…`.
    const std::string spaced =
        absl::AsciiStrToLower(absl::StrReplaceAll(
            OpensslThumbprint(file + (format == "der" ? " -inform DER" : "")), {{":", " "}})) +
        " ";
    EXPECT_EQ(spaced.size(), 60u);
    EXPECT_THAT(exported.output,
                HasSubstr(absl::StrCat("  certutil -dspublish -f r1.", format, " RootCA\n",
                                       "  certutil -dspublish -f r1.", format, " NTAuthCA\n")));
    EXPECT_THAT(exported.output,
                HasSubstr(absl::StrCat("  <IssuerHash>", spaced, "</IssuerHash>\n")));
    const Json json = RunJson(words);
    EXPECT_EQ(json["roots"][0]["vpnv2_thumbprint"], spaced);
    EXPECT_THAT(json["certutil"],
                ElementsAre(absl::StrCat("certutil -dspublish -f r1.", format, " RootCA"),
                            absl::StrCat("certutil -dspublish -f r1.", format, " NTAuthCA")));
  }
}

TEST_F(PromotionTest, ANameWithBlanksIsQuotedForWindows) {
  const std::string file = service_.directory().File("root one.cer");
  EXPECT_THAT(Run({"roots", "export", "--tenant", "contoso", "r1", "--out", file}).output,
              HasSubstr("certutil -dspublish -f \"root one.cer\" RootCA\n"));
}

TEST_F(PromotionTest, WhatGoesToStandardOutputIsTheCertificateAlone) {
  const std::string pem = Run("roots export --tenant contoso r1").output;
  EXPECT_THAT(pem, StartsWith("-----BEGIN CERTIFICATE-----\n"));
  EXPECT_THAT(pem, testing::EndsWith("-----END CERTIFICATE-----\n"));
  EXPECT_FALSE(RunJson("roots export --tenant contoso r1").contains("certutil"));
}

TEST_F(PromotionTest, ABundleSaysItsVersionAndThatWindowsTakesOneAFile) {
  const std::string words =
      "roots export --tenant contoso --all --out " + service_.directory().File("all.pem");
  EXPECT_THAT(Run(words).output,
              AllOf(HasSubstr("/all.pem, trust bundle version 7:\n"), Not(HasSubstr("certutil")),
                    HasSubstr("hourglass roots export --tenant contoso ROOT --format der")));
  EXPECT_EQ(RunJson(words)["bundle_version"], 7);
  // docs/rotation.md takes it out by sed.
  EXPECT_THAT(Run("--json " + words).output, HasSubstr("\n  \"bundle_version\": 7,\n"));
  EXPECT_EQ(script_.Last<v1::GetTrustBundleRequest>().tenant_id(), "contoso");
}

TEST_F(PromotionTest, RootsThatEndSoonAreToldOfByTheNearestThreshold) {
  const std::pair<int, int> cases[] = {{91, -1}, {89, 90}, {31, 90}, {29, 30}, {15, 30},
                                       {13, 14}, {8, 14},  {6, 7},   {0, 7},   {-2, 0}};
  for (const auto& [days, within] : cases) {
    *roots_.root.mutable_not_after() = TimestampOf(absl::Now() + absl::Hours(24 * days + 12));
    for (const std::string words :
         {"roots list --tenant contoso", "roots show --tenant contoso r1"}) {
      const std::string text = Run(words).output;
      const Json json = RunJson(words);
      if (within < 0) {
        EXPECT_THAT(text, Not(HasSubstr("Attention"))) << days;
        EXPECT_FALSE(json.contains("ends_soon"));
        continue;
      }
      EXPECT_THAT(
          text, HasSubstr(within == 0 ? "can sign, ended "
                                      : absl::StrCat("can sign, ends within ", within, " days: ")))
          << days;
      EXPECT_THAT(text, HasSubstr("hourglass roots create --tenant contoso"));
      EXPECT_EQ(json["ends_soon"]["root_id"], "r1");
      EXPECT_EQ(json["ends_soon"]["within_days"], within);
    }
  }
}

TEST_F(PromotionTest, ALaterRootThatCanSignKeepsItQuietAndOneThatIsRetiringDoesNot) {
  roots_.root = OtherRoot("r1", v1::PRIMARY, 5);
  roots_.others = {OtherRoot("r2", v1::STAGED, 700)};
  EXPECT_THAT(Run("roots list --tenant contoso").output, Not(HasSubstr("Attention")));
  for (const v1::RootState state : {v1::RETIRING, v1::RETIRED, v1::DISCARDED}) {
    roots_.others = {OtherRoot("r2", state, 700)};
    EXPECT_EQ(RunJson("roots list --tenant contoso")["ends_soon"]["root_id"], "r1");
  }
}

}  // namespace
}  // namespace hourglass::cli
