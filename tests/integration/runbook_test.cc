// The commands of docs/rotation.md, section by section, do what it says: with hourglassd, hourglass
// and hourglass-bundle themselves, and OpenSSL in the place of the gateways.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/integration/runbook_fixture.h"
#include "tests/support/grpc_matchers.h"
#include "tests/support/softhsm_token.h"

namespace hourglass {
namespace {

namespace fs = std::filesystem;

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

using Roots = std::map<std::string, std::string>;

TEST_F(RunbookTest, OneScreenSaysWhereThingsStand) {
  EXPECT_THAT(Run("look"),
              AllOf(HasSubstr("Tenant contoso, trust bundle version 2. r1 signs. No rotation is "
                              "under way.\n"),
                    HasSubstr("No relying parties: nobody can say whether a new root is trusted"),
                    HasSubstr("Next: stage a new root, "), HasSubstr("Policy: off")));
}

TEST_F(RunbookTest, RelyingPartiesArePutOnRecordAndFollow) {
  Run("stage");
  const std::string nobody = RunRefused("promote");
  EXPECT_THAT(nobody, AllOf(HasSubstr("PROMOTION_BLOCKED"), HasSubstr("NO_RELYING_PARTY"),
                            HasSubstr("--yes")));
  EXPECT_THAT(Run("register"),
              AllOf(HasSubstr("Registered relying party radius-1."),
                    testing::ContainsRegex("nps-1 +nps +an administrator +by hand +never"),
                    testing::ContainsRegex("radius-1 +freeradius +radius-1 +never +never")));
  Run("export the bundle");
  fs::copy_file(At(Place::kAdministrator, "roots.pem"), At(Place::kRadius, "roots.pem"));
  Run("follow once", Place::kRadius);
  EXPECT_EQ(Restarts(), 1);
  EXPECT_TRUE(RadiusAccepts(Leaf()));
  EXPECT_THAT(Run("look"),
              testing::ContainsRegex("radius-1 +version 3, .* version 3, .* radius-1 +yes"));
  EXPECT_THAT(Journal(), ElementsAre("administrator root_created r1 >STAGED",
                                     "administrator root_promoted r1 STAGED>PRIMARY",
                                     "administrator root_created r2 >STAGED",
                                     "administrator relying_party_registered radius-1",
                                     "administrator relying_party_registered nps-1"));
}

TEST_F(RunbookTest, APlannedRotationCutsNobodyOff) {
  PutOnRecord();
  const std::string first = Leaf();

  EXPECT_THAT(Run("stage"), AllOf(HasSubstr("r1 signs. r2 is staged."),
                                  testing::ContainsRegex("radius-1 +version 2, .* has not "
                                                         "fetched it yet\n"),
                                  testing::ContainsRegex("nps-1 +by hand .* not attested yet\n"),
                                  HasSubstr("In the way of promoting r2:")));
  EXPECT_THAT(RunRefused("promote"),
              AllOf(HasSubstr("PROMOTION_BLOCKED"),
                    HasSubstr("NOT_ACKNOWLEDGED radius-1: relying party radius-1 has acknowledged "
                              "version 2 of the trust bundle, and r2 is in it from version 3 on"),
                    HasSubstr("NOT_ACKNOWLEDGED nps-1: relying party nps-1 has acknowledged "
                              "version 2 of the trust bundle, and r2 is in it from version 3 on")));
  Run("follow once", Place::kRadius);
  EXPECT_EQ(Restarts(), 2);
  // Of version 2, which is not the newest.
  EXPECT_THAT(RunRefused("attest"), HasSubstr("BUNDLE_OUTDATED"));
  Run("export the bundle");
  EXPECT_EQ(ReadFileOrDie(At(Place::kAdministrator, "roots.version")), "3\n");
  InstallOnNps();
  EXPECT_TRUE(RadiusAccepts(Leaf()));

  EXPECT_THAT(Run("promote"), HasSubstr("Promoted root r2."));
  EXPECT_EQ(States(), (Roots{{"r1", "RETIRING"}, {"r2", "PRIMARY"}}));
  const std::string second = Leaf();
  for (const std::string& leaf : {first, second}) {
    EXPECT_TRUE(RadiusAccepts(leaf)) << leaf;
    EXPECT_TRUE(NpsAccepts(leaf)) << leaf;
  }
  Run("follow once", Place::kRadius);
  EXPECT_EQ(Restarts(), 2) << "the roots are the same";

  EXPECT_THAT(RunRefused("retire"), HasSubstr("ROOT_MOVE_ILLEGAL"));
  EXPECT_THAT(Run("look"), testing::ContainsRegex("Next: retire r1, .*; not before"));
  Wait();
  EXPECT_THAT(Run("retire"), AllOf(HasSubstr("Retired root r1; its key is still there."),
                                   HasSubstr("r2 signs. No rotation is under way.")));
  EXPECT_EQ(States(), (Roots{{"r1", "RETIRED"}, {"r2", "PRIMARY"}}));
  Run("follow once", Place::kRadius);
  EXPECT_EQ(Restarts(), 3);
  EXPECT_THAT(ReadFileOrDie(RadiusFile()), Not(HasSubstr("# root r1")));
  EXPECT_TRUE(RadiusAccepts(Leaf()));
  Run("export the bundle");
  InstallOnNps();
  EXPECT_TRUE(NpsAccepts(Leaf()));
  const nlohmann::json list = Ask("relying-parties list --tenant contoso");
  for (const auto& party : list["relying_parties"]) {
    EXPECT_EQ(party["acknowledged_version"], 5) << party;
  }
  EXPECT_EQ(
      Shell("hourglass --config cli.yaml roots retire --tenant contoso r1 --destroy-key").exit_code,
      0);
  EXPECT_THAT(Journal(),
              ElementsAre("administrator root_created r1 >STAGED",
                          "administrator root_promoted r1 STAGED>PRIMARY",
                          "administrator relying_party_registered radius-1",
                          "administrator relying_party_registered nps-1",
                          "administrator relying_party_attested nps-1: installed on nps-1",
                          "administrator root_created r2 >STAGED",
                          "administrator relying_party_attested nps-1: installed on nps-1",
                          "administrator root_demoted r1 PRIMARY>RETIRING",
                          "administrator root_promoted r2 STAGED>PRIMARY",
                          "administrator root_retired r1 RETIRING>RETIRED",
                          "administrator relying_party_attested nps-1: installed on nps-1"));
}

TEST_F(RunbookTest, TheServiceRotatesByItsPolicy) {
  PutOnRecord();
  // A primary of today is left in peace for a day.
  Wait("+2d");
  std::string policy = Runbook().Take("a policy");
  Restart(policy);
  const std::string plan = Run("plan");
  EXPECT_THAT(plan, AllOf(HasSubstr("stage a new root"), HasSubstr("promote r2"),
                          HasSubstr("retire r1"), HasSubstr("Policy: dry run"),
                          HasSubstr("The service says in its log when it would take these steps")));
  // Five years have more rotations than those until the roots of now end.
  EXPECT_THAT(plan, HasSubstr("promote r3"));

  // As if its end were near: a year before it is early enough to promote.
  policy =
      absl::StrReplaceAll(policy, {{"promote_before_expiry: 30d", "promote_before_expiry: 400d"},
                                   {"stage_before_expiry: 60d", "stage_before_expiry: 500d"}});
  Restart(policy);
  EXPECT_TRUE(daemon().WaitForLog("\"event\":\"rotation_step_due\"")) << daemon().Log();
  EXPECT_EQ(States(), (Roots{{"r1", "PRIMARY"}}));

  policy = absl::StrReplaceAll(policy, {{"mode: dry_run", "mode: automatic"}});
  Restart(policy);
  EXPECT_TRUE(daemon().WaitForLog("\"event\":\"rotation_step_done\"")) << daemon().Log();
  Run("follow once", Place::kRadius);
  Restart(policy);
  EXPECT_TRUE(daemon().WaitForLog("\"event\":\"rotation_blocked\"")) << daemon().Log();
  EXPECT_EQ(States(), (Roots{{"r1", "PRIMARY"}, {"r2", "STAGED"}}));
  EXPECT_THAT(Run("look"), HasSubstr("NOT_ACKNOWLEDGED nps-1"));
  Run("export the bundle");
  InstallOnNps();
  Restart(policy);
  EXPECT_TRUE(daemon().WaitForLog("\"action\":\"promote\",\"root\":\"r2\"")) << daemon().Log();
  EXPECT_EQ(States(), (Roots{{"r1", "RETIRING"}, {"r2", "PRIMARY"}}));
  // The report of two days ago is too old.
  daemon().ReportDevice("contoso", "laptop-1", true);
  EXPECT_TRUE(RadiusAccepts(Leaf()));
  EXPECT_THAT(Journal(),
              AllOf(Contains(testing::StartsWith("hourglassd root_created r2 >STAGED")),
                    Contains(testing::StartsWith("hourglassd root_promoted r2 STAGED>PRIMARY"))));
}

TEST_F(RunbookTest, ARootForWindows) {
  Run("stage");
  const std::string report = Run("export for Windows");
  EXPECT_THAT(report, AllOf(HasSubstr("certutil -dspublish -f r2.cer RootCA\n"),
                            HasSubstr("certutil -dspublish -f r2.cer NTAuthCA\n")));
  const std::string shown =
      RunCommand({"openssl", "x509", "-inform", "DER", "-in", At(Place::kAdministrator, "r2.cer"),
                  "-noout", "-fingerprint", "-sha1"})
          .output;
  const std::string digits = shown.substr(shown.find('=') + 1, 59);
  EXPECT_THAT(report, HasSubstr(absl::StrReplaceAll(digits, {{":", ""}})));
  EXPECT_THAT(report,
              HasSubstr(absl::StrCat("<IssuerHash>", absl::AsciiStrToLower(absl::StrReplaceAll(
                                                         digits, {{":", " "}})))));
}

TEST_F(RunbookTest, AGatewayThatDoesNotComeAlongIsLeftBehindOrMended) {
  PutOnRecord();
  Run("stage");
  BreakRadius(true);
  EXPECT_THAT(RunRefused("follow once", Place::kRadius), HasSubstr("ABORTED"));
  EXPECT_THAT(Run("look"), testing::ContainsRegex("radius-1 +version 3, .* version 2, .* has it, "
                                                  "has not acknowledged it\n"));
  Run("export the bundle");
  InstallOnNps();
  EXPECT_THAT(RunRefused("promote"),
              AllOf(HasSubstr("PROMOTION_BLOCKED"), Not(HasSubstr("NOT_ACKNOWLEDGED nps-1")),
                    HasSubstr("NOT_ACKNOWLEDGED radius-1: relying party radius-1 has acknowledged "
                              "version 2 of the trust bundle, and r2 is in it from version 3 on"),
                    HasSubstr("--override REASON")));
  // The --yes of a tenant without relying parties is no way round them.
  EXPECT_EQ(Shell("hourglass --config cli.yaml roots promote --tenant contoso r2 --yes").exit_code,
            1);
  EXPECT_THAT(Run("promote without it"), HasSubstr("Promoted root r2."));
  EXPECT_THAT(Journal(), Contains("administrator root_promoted r2 STAGED>PRIMARY override: "
                                  "radius-1 has no power, and r1 ends tomorrow"));
  const std::string leaf = Leaf();
  EXPECT_FALSE(RadiusAccepts(leaf));
  EXPECT_TRUE(NpsAccepts(leaf));
  BreakRadius(false);
  Run("follow once", Place::kRadius);
  EXPECT_TRUE(RadiusAccepts(leaf));
}

TEST_F(RunbookTest, AGatewayThatIsMendedByHandIsMadeManual) {
  PutOnRecord();
  Run("stage");
  Run("export the bundle");
  InstallOnNps();
  const auto radius = [this](const std::string& verb, const std::string& options) {
    const CommandResult result = Shell(absl::StrCat("hourglass --config cli.yaml relying-parties ",
                                                    verb, " --tenant contoso radius-1 ", options));
    EXPECT_EQ(result.exit_code, 0) << result.output;
  };
  radius("remove", "--reason 'is mended by hand'");
  radius("register", "--manual --kind freeradius");
  EXPECT_THAT(RunRefused("promote"), HasSubstr("NOT_ACKNOWLEDGED radius-1"));
  radius("attest", "--bundle-version \"$(cat roots.version)\" --reason 'mended by hand'");
  Run("promote");
  EXPECT_THAT(States(), Contains(Pair("r2", "PRIMARY")));
}

TEST_F(RunbookTest, AndBackAndForward) {
  PutOnRecord();
  Run("stage");
  Run("follow once", Place::kRadius);
  Run("export the bundle");
  InstallOnNps();
  EXPECT_EQ(Shell(Runbook().Take("roll back")).exit_code, 1) << "there is no way back yet";
  Run("promote");
  const std::string second = Leaf();

  EXPECT_THAT(Run("roll back"), AllOf(HasSubstr("Went back to root r1"), HasSubstr("r1 signs.")));
  EXPECT_EQ(States(), (Roots{{"r1", "PRIMARY"}, {"r2", "RETIRING"}}));
  for (const std::string& leaf : {second, Leaf()}) {
    EXPECT_TRUE(RadiusAccepts(leaf)) << leaf;
    EXPECT_TRUE(NpsAccepts(leaf)) << leaf;
  }
  EXPECT_THAT(RunRefused("roll back"), HasSubstr("ROOT_MOVE_ILLEGAL"));

  Run("forward again");
  EXPECT_EQ(States(), (Roots{{"r1", "RETIRING"}, {"r2", "PRIMARY"}}));
  EXPECT_TRUE(NpsAccepts(Leaf()));
  Wait();
  Run("retire");
  EXPECT_THAT(RunRefused("roll back"), HasSubstr("ROOT_MOVE_ILLEGAL"));
  EXPECT_THAT(Journal(), AllOf(Contains("administrator root_rolled_back r1 RETIRING>PRIMARY: "
                                        "nps-1 refuses certificates of r2"),
                               Contains(HasSubstr("r2 RETIRING>PRIMARY: "
                                                  "nps-1 has r2 in NTAuthCA now"))));
}

TEST_F(RunbookTest, AKeyInOtherHandsIsLeftAtOnce) {
  PutOnRecord();
  const std::string first = Leaf();
  Run("emergency");
  EXPECT_EQ(States(), (Roots{{"r1", "RETIRING"}, {"r2", "PRIMARY"}}));
  EXPECT_THAT(Journal(), Contains("administrator root_promoted r2 STAGED>PRIMARY override: "
                                  "the key of r1 may be in other hands"));
  // Alone, as by hand.
  fs::copy_file(At(Place::kAdministrator, "r2.pem"), RadiusFile(),
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(Shell("systemctl restart freeradius", Place::kRadius).exit_code, 0);
  EXPECT_TRUE(RadiusAccepts(Leaf()));
  EXPECT_FALSE(RadiusAccepts(first));

  Wait();
  const CommandResult retired =
      Shell("hourglass --config cli.yaml roots retire --tenant contoso r1 --destroy-key");
  EXPECT_EQ(retired.exit_code, 0) << retired.output;
  fs::copy_file(At(Place::kAdministrator, "r2.pem"), At(Place::kRadius, "r2.pem"));
  Run("follow anew", Place::kRadius);
  EXPECT_THAT(ReadFileOrDie(RadiusFile()), Not(HasSubstr("# root r1")));
  EXPECT_TRUE(RadiusAccepts(Leaf()));
}

TEST_F(RunbookTest, ALostTokenIsReplaced) {
  PutOnRecord();
  const std::string first = Leaf();
  // The only one from now on.
  const SofthsmToken spare({"spare"});
  Restart("", absl::StrCat("{tokens: [\"", spare.Uri(), "\"]}"));
  EXPECT_THAT(daemon().Issue(daemon().Request()), RefusedWith(v1::KEY_UNAVAILABLE));
  EXPECT_THAT(RunRefused("follow once", Place::kRadius), HasSubstr("BUNDLE_INVALID"));

  EXPECT_THAT(Run("lost token"), HasSubstr("pkcs11:token=spare"));
  fs::copy_file(At(Place::kAdministrator, "r2.pem"), At(Place::kRadius, "r2.pem"));
  EXPECT_THAT(daemon().Issue(daemon().Request()), RefusedWith(v1::KEY_UNAVAILABLE));
  EXPECT_TRUE(RadiusAccepts(first));
  // Beside the old one, by hand.
  EXPECT_EQ(Shell(absl::StrCat("cat r2.pem >>", RadiusFile(), "\nsystemctl restart freeradius"),
                  Place::kRadius)
                .exit_code,
            0);
  Run("promote after the loss");
  EXPECT_EQ(States(), (Roots{{"r1", "RETIRING"}, {"r2", "PRIMARY"}}));
  const std::string second = Leaf();
  EXPECT_TRUE(RadiusAccepts(first));
  EXPECT_TRUE(RadiusAccepts(second));

  EXPECT_THAT(RunRefused("follow once", Place::kRadius), HasSubstr("BUNDLE_INVALID"));
  Run("follow anew", Place::kRadius);
  EXPECT_TRUE(RadiusAccepts(first));
  EXPECT_TRUE(RadiusAccepts(second));
  EXPECT_THAT(Run("look"), testing::ContainsRegex("radius-1 +version 4, "));
}

TEST_F(RunbookTest, AGatewayThatIsGoneIsRemoved) {
  PutOnRecord();
  const std::string list = Run("remove");
  EXPECT_THAT(list.substr(list.find("NAME ")),
              AllOf(HasSubstr("nps-1"), Not(HasSubstr("radius-1"))));
  Run("stage");
  Run("export the bundle");
  InstallOnNps();
  Run("promote");
  EXPECT_THAT(RunRefused("follow once", Place::kRadius), HasSubstr("RELYING_PARTY_UNKNOWN"));
}

TEST_F(RunbookTest, TheJournalSaysWhoDidWhat) {
  PutOnRecord();
  Run("emergency");
  const std::string journal = Run("journal");
  EXPECT_THAT(journal, testing::ContainsRegex("administrator +root_promoted +r2 +STAGED to PRIMARY "
                                              "+override: the key of r1 may be in other hands\n"));
  EXPECT_THAT(journal, testing::ContainsRegex("administrator +relying_party_registered +nps-1"));
  EXPECT_LT(journal.find("root_promoted"), journal.find("relying_party_registered"));
}

}  // namespace
}  // namespace hourglass
