// The program as its users meet it: relying parties, and the journal of what administrators did.
#include <string>
#include <utility>
#include <vector>

#include "hsm/base/error.h"
#include "issuance/wire/status_detail.h"
#include "tools/hourglass/scripted_rotation.h"

namespace hourglass::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(RotationTest, RelyingPartiesAreListed) {
  const CommandResult listed = Run("relying-parties list --tenant contoso");
  EXPECT_EQ(script_.Last<v1::ListRelyingPartiesRequest>().tenant_id(), "contoso");
  EXPECT_THAT(listed.output,
              StartsWith("NAME  KIND        SPOKEN FOR BY     FETCHED               ACKNOWLEDGED\n"
                         "gw-1  freeradius  caller-of-gw-1    version 7, 4 min ago  version 7, "));
  EXPECT_THAT(listed.output,
              HasSubstr("\ngw-2  freeradius  caller-of-gw-2    never                 "
                        "never\n"));
  EXPECT_THAT(listed.output,
              HasSubstr("\nnps   nps         an administrator  by hand               "
                        "version 5, "));
  const Json json = RunJson("relying-parties list --tenant contoso");
  ASSERT_EQ(json["relying_parties"].size(), 3u);
  EXPECT_EQ(json["relying_parties"][0]["identity"], "caller-of-gw-1");
  EXPECT_EQ(json["relying_parties"][0]["fetched_version"], 7);
  EXPECT_EQ(json["relying_parties"][1]["fetched_version"], 0);
  EXPECT_EQ(json["relying_parties"][0]["acknowledged_sha256"].get<std::string>().substr(0, 4),
            "2a2a");
  rotations_.rotation.clear_relying_parties();
  EXPECT_THAT(Run("relying-parties list --tenant contoso").output,
              HasSubstr("hourglass relying-parties register --tenant contoso"));
  EXPECT_EQ(RunJson("relying-parties list --tenant contoso")["relying_parties"], Json::array());
}

TEST_F(RotationTest, RelyingPartiesAreRegisteredWithAVoiceOfTheirOwnOrNone) {
  const std::string words =
      "relying-parties register --tenant contoso gw-1 --identity radius-1 "
      "--kind freeradius";
  const CommandResult registered = Run(words);
  EXPECT_EQ(registered.exit_code, 0) << registered.output;
  EXPECT_THAT(registered.output, AllOf(StartsWith("Registered relying party gw-1.\n"),
                                       HasSubstr("hourglass-bundle sync")));
  auto request = script_.Last<v1::RegisterRelyingPartyRequest>();
  EXPECT_EQ(request.tenant_id(), "contoso");
  EXPECT_EQ(request.name(), "gw-1");
  EXPECT_EQ(request.identity(), "radius-1");
  EXPECT_EQ(request.kind(), "freeradius");
  EXPECT_FALSE(request.manual());
  EXPECT_EQ(RunJson(words)["name"], "gw-1");

  rotations_.party = Party("nps", 0, true);
  EXPECT_THAT(Run("relying-parties register --tenant contoso --name nps --manual").output,
              HasSubstr("hourglass relying-parties attest --tenant contoso nps"));
  request = script_.Last<v1::RegisterRelyingPartyRequest>();
  EXPECT_TRUE(request.manual());
  EXPECT_EQ(request.identity(), "");
}

TEST_F(RotationTest, ARelyingPartyThatWentAwayIsRemovedWithAReason) {
  const CommandResult removed = Run({"relying-parties", "remove", "--tenant", "contoso", "gw-1",
                                     "--reason", "the site is closed"});
  EXPECT_EQ(removed.exit_code, 0) << removed.output;
  EXPECT_THAT(removed.output,
              AllOf(StartsWith("Removed relying party gw-1; it was:\n"), HasSubstr("version 7, ")));
  EXPECT_EQ(script_.Last<v1::RemoveRelyingPartyRequest>().name(), "gw-1");
  EXPECT_EQ(script_.Last<v1::RemoveRelyingPartyRequest>().reason(), "the site is closed");
  EXPECT_EQ(RunJson("relying-parties remove --tenant contoso gw-1 --reason gone")["name"], "gw-1");
}

TEST_F(RotationTest, AnAdministratorAttestsForAVersion) {
  rotations_.party = Party("nps", 7, true);
  const std::string words =
      "relying-parties attest --tenant contoso nps --bundle-version 7 --reason installed";
  const CommandResult attested = Run(words);
  EXPECT_EQ(attested.exit_code, 0) << attested.output;
  EXPECT_THAT(attested.output, AllOf(StartsWith("Attested for relying party nps.\n"),
                                     HasSubstr("hourglass rotation status --tenant contoso\n")));
  const auto request = script_.Last<v1::AttestRelyingPartyRequest>();
  EXPECT_EQ(request.tenant_id(), "contoso");
  EXPECT_EQ(request.name(), "nps");
  EXPECT_EQ(request.version(), 7u);
  EXPECT_EQ(request.reason(), "installed");
  EXPECT_EQ(RunJson(words)["acknowledged_by"], "admin");
}

TEST_F(RotationTest, RefusalsSayWhatToDoNext) {
  struct Case {
    ErrorReason reason;
    const char* words;
    const char* next;
  };
  const Case cases[] = {
      {ErrorReason::kRelyingPartyUnknown,
       "relying-parties remove --tenant contoso gw-9 --reason gone",
       "hourglass relying-parties list --tenant TENANT"},
      {ErrorReason::kRelyingPartyExists, "relying-parties register --tenant contoso gw-1 --manual",
       "name another"},
      {ErrorReason::kBundleUnknown,
       "relying-parties attest --tenant contoso nps --bundle-version 99 --reason x",
       "hourglass rotation status --tenant TENANT"},
      {ErrorReason::kBundleOutdated,
       "relying-parties attest --tenant contoso nps --bundle-version 6 --reason x",
       "hourglass roots export --tenant TENANT --all"},
      {ErrorReason::kBundleMismatch,
       "relying-parties attest --tenant contoso nps --bundle-version 7 --reason x",
       "fetch the trust bundle again"},
      {ErrorReason::kTenantUnknown, "rotation status --tenant contoso", "hourglass tenants list"},
      {ErrorReason::kTenantNotPermitted, "rotation plan --tenant contoso", "check the tenant's id"},
      {ErrorReason::kRoleNotPermitted, "journal list --tenant contoso", "has the role"},
  };
  for (const Case& c : cases) {
    script_.status = issuance::ToGrpcStatus(Error(c.reason, "name", "it is so"));
    const CommandResult refused = Run(c.words);
    EXPECT_EQ(refused.exit_code, 1) << c.words;
    const std::string reason(ErrorReasonName(c.reason));
    EXPECT_THAT(
        refused.output,
        AllOf(StartsWith("hourglass: " + reason + ": name: it is so\n  next: "), HasSubstr(c.next)))
        << c.words;
    EXPECT_EQ(Json::parse(Run(absl::StrCat(c.words, " --json")).output)["error"]["reason"], reason);
  }
}

TEST_F(RotationTest, TheJournalOfAdministratorsIsListed) {
  const CommandResult listed = Run("journal list --tenant contoso --kind admin");
  EXPECT_EQ(listed.exit_code, 0) << listed.output;
  EXPECT_EQ(script_.Last<v1::ListAdministrativeActionsRequest>().tenant_id(), "contoso");
  EXPECT_THAT(listed.output, HasSubstr(" UTC (5 min ago)  admin  root_promoted  r2       STAGED to "
                                       "PRIMARY\n"));
  journal_.action.set_reason("stolen");
  journal_.action.set_override(true);
  EXPECT_THAT(Run("journal list --tenant contoso").output,
              HasSubstr("STAGED to PRIMARY  override: stolen\n"));
  const Json action = RunJson("journal list --tenant contoso")["actions"][0];
  EXPECT_EQ(action["sequence"], 12);
  EXPECT_EQ(action["caller"], "admin");
  EXPECT_EQ(action["action"], "root_promoted");
  EXPECT_EQ(action["from_state"], "STAGED");
  EXPECT_EQ(action["to_state"], "PRIMARY");
  EXPECT_EQ(action["reason"], "stolen");
  EXPECT_EQ(action["override"], true);
}

TEST_F(RotationTest, WhatHasNoStateIsListedWithoutOne) {
  journal_.action.set_action("relying_party_removed");
  journal_.action.set_subject("gw-1");
  journal_.action.clear_from_state();
  journal_.action.clear_to_state();
  EXPECT_THAT(Run("journal list --tenant contoso").output,
              HasSubstr("relying_party_removed  gw-1     -\n"));
  EXPECT_FALSE(RunJson("journal list --tenant contoso")["actions"][0].contains("to_state"));
  journal_.action.set_action("root_created");
  journal_.action.set_to_state("STAGED");
  EXPECT_THAT(Run("journal list --tenant contoso").output, HasSubstr("  to STAGED\n"));
}

TEST_F(RotationTest, TheJournalOfAdministratorsIsPagedUpToTheLimit) {
  journal_.pages = 5;
  const Json three = RunJson("journal list --tenant contoso --limit 3");
  EXPECT_EQ(three["actions"].size(), 3u);
  EXPECT_EQ(three["more"], true);
  EXPECT_THAT(Run("journal list --tenant contoso --limit 3").output,
              HasSubstr("The newest 3 are shown; there are more: --limit N\n"));
  const Json all = RunJson("journal list --tenant contoso --limit 9");
  EXPECT_EQ(all["actions"].size(), 5u);
  EXPECT_EQ(all["more"], false);
  journal_.pages = 1;
  journal_.no_actions = true;
  EXPECT_EQ(Run("journal list --tenant contoso").output, "No actions of administrators.\n");
}

TEST(RotationUsageTest, WrongUsageIsToldBeforeTheServiceIsAsked) {
  const std::pair<const char*, const char*> cases[] = {
      {"journal list --tenant t --kind certificates", "hourglass certificates list --tenant ID"},
      {"journal list --tenant t --kind device", "`device` is not admin"},
      {"journal list", "--tenant is required"},
      {"rotation", "a subcommand of hourglass rotation is required"},
      {"rotation plan --tenant t --horizon soon", "Usage: hourglass rotation plan "},
      {"relying-parties register --tenant t gw", "give either --identity CALLER or --manual"},
      {"relying-parties register --tenant t gw --manual --identity c",
       "give either --identity CALLER or --manual"},
      {"relying-parties remove --tenant t gw", "--reason is required"},
      {"relying-parties attest --tenant t gw --reason x", "--bundle-version is required"},
      {"relying-parties attest --tenant t gw --reason x --bundle-version 0",
       "Usage: hourglass relying-parties attest "},
      {"relying-parties attest --tenant t gw --reason x --bundle-version -1",
       "Usage: hourglass relying-parties attest "},
      {"roots rollback --tenant t", "root is required"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> command = {kProgram, "--config", "none.yaml"};
    for (const std::string& word : Words(words)) command.push_back(word);
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 2) << words << result.output;
    EXPECT_THAT(result.output, HasSubstr(expected)) << words;
  }
}

}  // namespace
}  // namespace hourglass::cli
