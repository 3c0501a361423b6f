// The program as gateways meet it: what it believes, what it writes, what it says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/bundle/bundle_fixture.h"
#include "tools/bundle/scripted_bundles.h"

namespace hourglass::bundle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

TEST_F(BundleTest, WritesTheRootsRunsTheHookAndAcknowledges) {
  bundles_.Publish(Staged());
  const std::string facts = "echo $HOURGLASS_BUNDLE_FILE $HOURGLASS_BUNDLE_TENANT > " +
                            Scratch("facts") + "; cmp " + Out() + " $HOURGLASS_BUNDLE_FILE";
  const CommandResult result = Once({"--on-change", Counting(facts)});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  ExpectRoots({&one_, &two_});
  struct stat status = {};
  ASSERT_EQ(stat(Out().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0644);
  EXPECT_THAT(Runs(), ElementsAre("2"));
  EXPECT_EQ(ReadFileOrDie(Scratch("facts")), Out() + " contoso\n");
  const std::vector<Acknowledgement> acknowledged = bundles_.acknowledged();
  ASSERT_EQ(acknowledged.size(), 1u);
  EXPECT_EQ(acknowledged[0].tenant_id(), "contoso");
  EXPECT_EQ(acknowledged[0].version(), 2u);
  EXPECT_EQ(acknowledged[0].document_sha256(),
            OpensslOf("dgst -sha256 -binary", Staged().document()));
  EXPECT_EQ(StageOnDisk(), "acknowledged");
  EXPECT_THAT(Events(result.output),
              ElementsAre("accepted", "written", "hook_done", "acknowledged"));
}

TEST_F(BundleTest, SaysInJsonWhatItAccepted) {
  ASSERT_EQ(Once().exit_code, 0);
  bundles_.Publish(Signed(
      BundleOf(5, {one_.In(RootState::kRetiring), two_.In(RootState::kPrimary)}, {three_.Gone()}),
      {&two_, &one_}));
  const Json accepted = Lines(Once().output).at(0);
  const auto digest = [](const Root& root) {
    return OpensslOf("dgst -sha256 -r", root.certificate).substr(0, 64);
  };
  EXPECT_EQ(accepted["event"], "accepted");
  EXPECT_EQ(accepted["tenant_id"], "contoso");
  EXPECT_EQ(accepted["version"], 5);
  // r2 is not trusted yet.
  EXPECT_EQ(accepted["signed_by"], digest(one_));
  EXPECT_EQ(accepted["roots"],
            Json::parse(absl::StrCat(
                R"([{"root_id":"r1","state":"RETIRING","sha256_thumbprint":")", digest(one_),
                R"("},{"root_id":"r2","state":"PRIMARY","sha256_thumbprint":")", digest(two_),
                R"("}])")));
  EXPECT_EQ(accepted["removed"][0]["root_id"], "r3");
}

TEST_F(BundleTest, SaysInWordsWhatItDoesAndRefusalsOnStandardErrorAlone) {
  std::vector<std::string> command = Command({"--once"});
  command.erase(std::find(command.begin(), command.end(), "--json"));
  std::string words = RunCommand(command).output;
  EXPECT_THAT(words, HasSubstr(" UTC  accepted version 1 of the bundle of contoso: r1 PRIMARY\n"));
  EXPECT_THAT(words, HasSubstr(" UTC  acknowledged version 1\n"));
  bundles_.Publish(Signed(BundleOf(2, {two_.In(RootState::kPrimary)}), {&two_}));
  words = RunCommand(command).output;
  EXPECT_THAT(words, StartsWith("hourglass-bundle: BUNDLE_INVALID: "));

  // What is left for the log is standard error.
  command.pop_back();
  command.insert(command.begin(), {"sh", "-c", "exec \"$0\" \"$@\" > " + Scratch("words")});
  BackgroundProcess run(command, Scratch("errors"));
  ASSERT_TRUE(run.WaitForLog(" UTC  BUNDLE_INVALID: ")) << run.Log();
  EXPECT_THAT(run.Log(), HasSubstr("; " + Out() + " stays as it is\n"));
  EXPECT_EQ(run.Stop(SIGTERM), 0);
  EXPECT_THAT(ReadFileOrDie(Scratch("words")), HasSubstr(" UTC  told to stop"));
  EXPECT_THAT(ReadFileOrDie(Scratch("words")), Not(HasSubstr("BUNDLE_INVALID")));
}

TEST_F(BundleTest, DerIsTheOneRootAndOfTwoNothing) {
  ASSERT_EQ(Once({"--format", "der"}).exit_code, 0);
  EXPECT_EQ(OpensslOf("x509 -inform DER -in " + Out()), PemByOpenssl(one_));
  bundles_.Publish(Staged());
  const CommandResult refused = Once({"--format", "der", "--on-change", Counting()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("the bundle has 2 roots (r1, r2): take --format p7b"));
  EXPECT_EQ(OpensslOf("x509 -inform DER -in " + Out()), PemByOpenssl(one_));
  EXPECT_THAT(Runs(), IsEmpty());
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
  // It goes on as soon as there is one again, by what it has learnt meanwhile.
  bundles_.Publish(Signed(BundleOf(4, {two_.In(RootState::kPrimary)}, {one_.Gone()}), {&two_}));
  ASSERT_EQ(Once({"--format", "der", "--on-change", Counting()}).exit_code, 0);
  EXPECT_EQ(OpensslOf("x509 -inform DER -in " + Out()), PemByOpenssl(two_));
  EXPECT_THAT(Runs(), ElementsAre("4"));
}

TEST_F(BundleTest, P7bIsReadByOpenssl) {
  bundles_.Publish(Staged());
  ASSERT_EQ(Once({"--format", "p7b"}).exit_code, 0);
  const std::string printed = OpensslOf("pkcs7 -inform DER -print_certs -in " + Out());
  const std::size_t first = printed.find(PemByOpenssl(one_));
  const std::size_t second = printed.find(PemByOpenssl(two_));
  ASSERT_NE(first, std::string::npos) << printed;
  ASSERT_NE(second, std::string::npos) << printed;
  EXPECT_LT(first, second);
  EXPECT_EQ(ReadFileOrDie(Out()), OpensslOf("crl2pkcs7 -nocrl -certfile /dev/stdin -outform DER",
                                            PemByOpenssl(one_) + PemByOpenssl(two_)));
}

TEST_F(BundleTest, AnotherFormatIsAChangeOfTheFile) {
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  ASSERT_EQ(Once({"--on-change", Counting(), "--format", "der"}).exit_code, 0);
  EXPECT_EQ(ReadFileOrDie(Out()), one_.certificate);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
}

// Of each kind one, beside a bundle of the same version that is taken.
TEST_F(BundleTest, KeepsTheOldOneWhereTheNewOneIsNotToBeBelieved) {
  bundles_.Publish(Staged());
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  const std::string file = ReadFileOrDie(Out());
  const std::string state = ReadFileOrDie(State());

  v1::TrustBundle flipped = Promoted();
  flipped.mutable_signatures(0)->mutable_signature()->back() ^= 1;
  v1::TrustBundle changed = Promoted();
  *changed.mutable_document() =
      absl::StrReplaceAll(changed.document(), {{"PRIMARY", "STAGED"}, {"RETIRING", "PRIMARY"}});
  v1::TrustBundle unsigned_one = Promoted();
  unsigned_one.clear_signatures();
  v1::TrustBundle renumbered = Promoted();
  renumbered.set_version(4);
  v1::TrustBundle renamed = Promoted();
  renamed.set_tenant_id("fabrikam");
  v1::TrustBundle garbage = Promoted();
  garbage.set_document("garbage");
  ca::TrustBundle foreign = BundleOf(3, {one_.In(RootState::kPrimary)}, {two_.Gone()});
  foreign.tenant_id = "fabrikam";
  const std::pair<const char*, v1::TrustBundle> cases[] = {
      {"a signature that does not verify", flipped},
      {"a document that was changed", changed},
      {"no signature", unsigned_one},
      {"another version in the message", renumbered},
      {"another tenant in the message", renamed},
      {"no document", garbage},
      {"another tenant's, well signed", Signed(foreign, {&one_})},
      {"signed by a stranger",
       Signed(BundleOf(3, {one_.In(RootState::kRetiring), two_.In(RootState::kRetiring),
                           three_.In(RootState::kPrimary)}),
              {&three_})},
      {"a lower version", First()},
      {"a root dropped without a word",
       Signed(BundleOf(3, {two_.In(RootState::kPrimary)}), {&two_})},
      {"the same version with other content",
       Signed(BundleOf(2, {one_.In(RootState::kRetiring), two_.In(RootState::kPrimary)}), {&two_})},
  };
  for (const auto& [what, bundle] : cases) {
    bundles_.Publish(bundle);
    const CommandResult result = Once({"--on-change", Counting()});
    EXPECT_EQ(result.exit_code, 1) << what;
    EXPECT_THAT(result.output, HasSubstr("\"reason\": \"BUNDLE_INVALID\"")) << what;
    EXPECT_EQ(ReadFileOrDie(Out()), file) << what;
    EXPECT_EQ(ReadFileOrDie(State()), state) << what;
  }
  EXPECT_THAT(Runs(), ElementsAre("2"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(2));
  bundles_.Publish(Promoted());
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(2, 3));
}

TEST_F(BundleTest, TheFirstBundleMustBeSignedByWhatWasGiven) {
  service_.directory().Write("trust.pem", PemByOpenssl(two_));
  const CommandResult refused = Once();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("BUNDLE_INVALID"));
  EXPECT_FALSE(std::filesystem::exists(Out()));
  EXPECT_FALSE(std::filesystem::exists(State()));
  service_.directory().Write("trust.pem", PemByOpenssl(two_) + PemByOpenssl(one_));
  EXPECT_EQ(Once().exit_code, 0);
}

TEST_F(BundleTest, WhatWasGivenAtFirstIsBelievedNoMoreOnceThereIsABundle) {
  for (const v1::TrustBundle& bundle : {Staged(), Promoted(), Retired()}) {
    bundles_.Publish(bundle);
    ASSERT_EQ(Once().exit_code, 0);
  }
  ExpectRoots({&two_});
  // r1 is in --trust still, and signs for whoever has its key.
  bundles_.Publish(Signed(
      BundleOf(5, {two_.In(RootState::kRetiring), three_.In(RootState::kPrimary)}, {one_.Gone()}),
      {&one_}));
  EXPECT_THAT(Once().output, HasSubstr("BUNDLE_INVALID"));
  ExpectRoots({&two_});
  // The file is not even read.
  std::filesystem::remove(Scratch("trust.pem"));
  bundles_.Publish(Signed(
      BundleOf(5, {two_.In(RootState::kRetiring), three_.In(RootState::kPrimary)}, {one_.Gone()}),
      {&two_}));
  EXPECT_EQ(Once().exit_code, 0);
  ExpectRoots({&two_, &three_});
}

TEST_F(BundleTest, AStateOfAnotherTenantIsRefused) {
  ca::TrustBundle foreign = BundleOf(1, {one_.In(RootState::kPrimary)});
  foreign.tenant_id = "fabrikam";
  bundles_.Publish(Signed(foreign, {&one_}));
  std::vector<std::string> command = Command({"--once"});
  *std::find(command.begin(), command.end(), "contoso") = "fabrikam";
  ASSERT_EQ(RunCommand(command).exit_code, 0);
  const std::string file = ReadFileOrDie(Out());
  bundles_.Publish(First());
  const CommandResult refused = Once();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              HasSubstr("is the state of the tenant fabrikam, not of contoso: name another file"));
  EXPECT_THAT(refused.output, HasSubstr("\"field\": \"--state\""));
  EXPECT_EQ(ReadFileOrDie(Out()), file);
  EXPECT_EQ(Once({"--state", out_.File("other.state")}).exit_code, 0);
}

TEST_F(BundleTest, AStateThatIsDamagedIsRefusedAndNotMended) {
  ASSERT_EQ(Once().exit_code, 0);
  const std::string state = ReadFileOrDie(State());
  const Json json = Json::parse(state, nullptr, false);
  const auto without = [&json](const char* member) {
    Json less = json;
    less.erase(member);
    return less.dump();
  };
  Json flipped = json;
  std::string signature = flipped["signatures"][0]["signature"];
  signature.back() = signature.back() == '0' ? '1' : '0';
  flipped["signatures"][0]["signature"] = signature;
  Json no_number = json;
  no_number["signatures"][0]["signature"] = "zz";
  Json no_list = json;
  no_list["signatures"] = 7;
  Json unknown = json;
  unknown["stage"] = "done";
  const auto with_hook = [&json](const Json& hook) {
    Json other = json;
    other["hook_sha256"] = hook;
    return other.dump();
  };
  const std::string cases[] = {"",
                               "garbage",
                               "[]",
                               state.substr(0, state.size() / 2),
                               without("document"),
                               without("signatures"),
                               without("stage"),
                               flipped.dump(),
                               no_number.dump(),
                               no_list.dump(),
                               unknown.dump(),
                               with_hook(7),
                               with_hook("zz"),
                               with_hook("00"),
                               absl::StrReplaceAll(state, {{"PRIMARY", "STAGED"}})};
  for (const std::string& content : cases) {
    out_.Write("roots.state", content);
    const CommandResult refused = Once();
    EXPECT_EQ(refused.exit_code, 1) << content;
    EXPECT_THAT(refused.output, HasSubstr("is damaged (")) << content;
    EXPECT_EQ(ReadFileOrDie(State()), content);
  }
  for (const std::string& content : {state, without("hook_sha256"), with_hook("")}) {
    out_.Write("roots.state", content);
    EXPECT_EQ(Once().exit_code, 0) << content;
  }
}

TEST_F(BundleTest, WhatIsTrustedAtFirstMustBeCertificates) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "holds no PEM certificate, but nothing"},
      {"garbage", "holds no PEM certificate, but "},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "trust.pem: "},
      {"-----BEGIN CERTIFICATE-----\nAAAA\n", "trust.pem: "},
  };
  for (const auto& [content, expected] : cases) {
    service_.directory().Write("trust.pem", content);
    const CommandResult result = Once();
    EXPECT_EQ(result.exit_code, 1) << content;
    EXPECT_THAT(result.output, HasSubstr("\"field\": \"--trust\"")) << content;
    EXPECT_THAT(result.output, HasSubstr(expected)) << content;
  }
  std::filesystem::remove(Scratch("trust.pem"));
  EXPECT_THAT(Once().output, HasSubstr("\"field\": \"--trust\""));
  // Line ends and words between the blocks do no harm.
  service_.directory().Write(
      "trust.pem",
      "from an administrator\r\n" + absl::StrReplaceAll(PemByOpenssl(one_), {{"\n", "\r\n"}}));
  EXPECT_EQ(Once().exit_code, 0);
}

TEST_F(BundleTest, OnceSaysThatTheServiceIsAway) {
  service_.Stop();
  const CommandResult result = Once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("\"reason\": \"UNAVAILABLE\""));
  EXPECT_FALSE(std::filesystem::exists(Out()));
}

TEST(BundleUsageTest, WrongUsageEndsWithTwoAndTheRightHelp) {
  const std::string given = "sync --config c --tenant t --trust r --out o";
  const std::pair<std::string, const char*> cases[] = {
      {"nonsense", "`nonsense` is no subcommand of hourglass-bundle"},
      {"sync", "Usage: hourglass-bundle sync [OPTIONS]"},
      {"sync --config c --tenant t --out o", "--trust is required"},
      {given + " --format crt", "`crt` is none of pem, der, p7b"},
      {given + " --hook-timeout soon", "Usage: hourglass-bundle sync [OPTIONS]"},
      {given + " --state o", "must be a file of its own"},
      {given + " --state r", "must be a file of its own"},
      {"sync --config c --tenant t --trust o --out o", "must be another file than --out"},
  };
  for (const auto& [words, expected] : cases) {
    std::vector<std::string> command = absl::StrSplit(words, ' ');
    command.insert(command.begin(), kProgram);
    const CommandResult result = RunCommand(command);
    EXPECT_EQ(result.exit_code, 2) << words;
    EXPECT_THAT(result.output, HasSubstr(expected)) << words;
  }
}

}  // namespace
}  // namespace hourglass::bundle
