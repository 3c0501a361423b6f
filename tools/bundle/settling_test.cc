// The program while things fail under it: streams, hooks, acknowledgements, disks, and itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/signals.h"
#include "issuance/wire/status_detail.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/bundle/bundle_fixture.h"
#include "tools/bundle/scripted_bundles.h"

namespace hourglass::bundle {
namespace {

using SettlingTest = BundleTest;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST_F(SettlingTest, FollowsARotationAndReloadsOnlyForRootsThatComeOrGo) {
  BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":1")) << run.Log();
  bundles_.Publish(Staged());
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":2")) << run.Log();
  ExpectRoots({&one_, &two_});
  bundles_.Publish(Promoted());
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":3")) << run.Log();
  ExpectRoots({&one_, &two_});
  bundles_.Publish(Retired());
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":4")) << run.Log();
  ExpectRoots({&two_});
  EXPECT_EQ(run.Stop(SIGTERM), 0) << run.Log();
  EXPECT_THAT(Runs(), ElementsAre("1", "2", "4"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(bundles_.watched(), 1);
  EXPECT_EQ(Events(run.Log()).back(), "stopped");
}

TEST_F(SettlingTest, GoesOnAfterARefusedOne) {
  BackgroundProcess run(Command(), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":1")) << run.Log();
  bundles_.Publish(Signed(BundleOf(2, {two_.In(RootState::kPrimary)}), {&two_}));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"refused\"")) << run.Log();
  ExpectRoots({&one_});
  bundles_.Publish(Staged());
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":2")) << run.Log();
  ExpectRoots({&one_, &two_});
}

TEST_F(SettlingTest, AStreamThatBreaksIsOpenedAgain) {
  BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  bundles_.Break(issuance::ToGrpcStatus(Error(ErrorReason::kStopping, "", "stopping")));
  ASSERT_TRUE(run.WaitForLog("\"reason\":\"STOPPING\"")) << run.Log();
  bundles_.Publish(Staged());
  bundles_.Break(grpc::Status::OK);
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":2")) << run.Log();
  EXPECT_GE(bundles_.watched(), 2);
  ExpectRoots({&one_, &two_});
  const std::vector<std::string> events = Events(run.Log());
  EXPECT_EQ(std::count(events.begin(), events.end(), "unavailable"), 1) << run.Log();
}

// A relying party that was removed and registered anew has acknowledged nothing.
TEST_F(SettlingTest, AcknowledgesOnceMoreWhatComesOnceMore) {
  BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  std::promise<void> again;
  bundles_.Script({[&again](const Acknowledgement&) {
    again.set_value();
    return grpc::Status::OK;
  }});
  bundles_.Break(grpc::Status::OK);
  ASSERT_EQ(again.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_EQ(run.Stop(SIGTERM), 0);
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1, 1));
  EXPECT_THAT(Runs(), ElementsAre("1"));
}

TEST_F(SettlingTest, AServiceThatKeepsSilentIsTold) {
  bundles_.KeepSilent();
  std::vector<std::string> command = Command();
  command[3] = service_.WriteConfig("hasty.yaml", "server_name: service.example\ntimeout: 1s\n");
  BackgroundProcess run(command, Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("no bundle from 127.0.0.1:")) << run.Log();
  EXPECT_THAT(run.Log(), HasSubstr("\"reason\":\"DEADLINE_EXCEEDED\""));
  EXPECT_EQ(run.Stop(SIGTERM), 0);
}

TEST_F(SettlingTest, AHookThatFailsIsTriedAgainAndNothingIsAcknowledgedBefore) {
  BackgroundProcess run(Command({"--on-change", Counting("test -e " + Scratch("mended"))}),
                        Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("--on-change: ended with exit code 1")) << run.Log();
  EXPECT_THAT(Events(run.Log()), ElementsAre("accepted", "written", "hook_failed"));
  ExpectRoots({&one_});
  EXPECT_EQ(StageOnDisk(), "accepted");
  EXPECT_THAT(bundles_.acknowledged_versions(), IsEmpty());
  service_.directory().Write("mended", "");
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  EXPECT_GE(Runs().size(), 2u);
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
  // What was told once is not told again.
  EXPECT_THAT(Events(run.Log()),
              ElementsAre("accepted", "written", "hook_failed", "hook_done", "acknowledged"));
}

TEST_F(SettlingTest, AFailedHookIsTheEndOfOnce) {
  const CommandResult failed = Once({"--on-change", Counting("exit 3")});
  EXPECT_EQ(failed.exit_code, 1);
  EXPECT_THAT(failed.output, HasSubstr("--on-change: ended with exit code 3"));
  EXPECT_THAT(bundles_.acknowledged_versions(), IsEmpty());
  // The next run has it to do, though the file is as it should be.
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
}

// Its roots are those of the one before, whose hook has not succeeded.
TEST_F(SettlingTest, AHookThatIsOwedIsRunThoughTheNextBundleChangesNoRoot) {
  bundles_.Publish(Staged());
  EXPECT_EQ(Once({"--on-change", Counting("exit 3")}).exit_code, 1);
  bundles_.Publish(Promoted());
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("2", "3"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(3));
}

TEST_F(SettlingTest, AHookThatHangsIsEnded) {
  const std::string hang = "test -e " + Scratch("mended") + " || sleep 1000";
  BackgroundProcess run(Command({"--hook-timeout", "1s", "--on-change", hang}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("--on-change: took longer than 1 s, and was ended")) << run.Log();
  EXPECT_THAT(bundles_.acknowledged_versions(), IsEmpty());
  service_.directory().Write("mended", "");
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
}

TEST_F(SettlingTest, AHookIsEndedWhereItIsToldToStopAndRunsAgain) {
  const std::string hang = "echo hangs >&2; sleep 1000";
  {
    BackgroundProcess run(Command({"--on-change", Counting(hang)}), Scratch("run.log"));
    ASSERT_TRUE(run.WaitForLog("hangs")) << run.Log();
    EXPECT_EQ(run.Stop(SIGTERM), 0) << run.Log();
  }
  EXPECT_EQ(StageOnDisk(), "accepted");
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
}

TEST_F(SettlingTest, AnAcknowledgementThatIsRefusedIsTriedAgain) {
  bundles_.Script({Refuse(ErrorReason::kRelyingPartyUnknown, "gw-1 is no relying party")});
  BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  EXPECT_THAT(Events(run.Log()), ElementsAre("accepted", "written", "hook_done",
                                             "acknowledge_failed", "acknowledged"));
  EXPECT_THAT(run.Log(), HasSubstr("\"reason\":\"RELYING_PARTY_UNKNOWN\""));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1, 1));
  EXPECT_THAT(Runs(), ElementsAre("1"));
}

TEST_F(SettlingTest, AnAcknowledgementThatIsRefusedIsTheEndOfOnce) {
  bundles_.Script({Refuse(ErrorReason::kRelyingPartyUnknown, "gw-1 is no relying party")});
  const CommandResult refused = Once();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("\"reason\": \"RELYING_PARTY_UNKNOWN\""));
  ExpectRoots({&one_});
  EXPECT_EQ(StageOnDisk(), "hooked");
  EXPECT_EQ(Once().exit_code, 0);
}

TEST_F(SettlingTest, WhereItsVersionIsOutdatedTheNewestIsFetched) {
  bundles_.Script({[this](const Acknowledgement& acknowledgement) {
    bundles_.Publish(Staged());
    return Refuse(ErrorReason::kBundleOutdated, "2 is the newest")(acknowledgement);
  }});
  const CommandResult result = Once({"--on-change", Counting()});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1, 2));
  EXPECT_THAT(Runs(), ElementsAre("1", "2"));
  ExpectRoots({&one_, &two_});
}

TEST_F(SettlingTest, WhereItsVersionIsOutdatedAndTheNewestThatIsSaid) {
  bundles_.Script({Refuse(ErrorReason::kBundleOutdated, "of another replica")});
  const CommandResult result = Once();
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("BUNDLE_OUTDATED"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
}

// What a kill leaves before the file is written: the state, and not the file. The service is away
// when it starts again.
TEST_F(SettlingTest, KilledBeforeTheFileIsWritten) {
  {
    BackgroundProcess run(Command({"--on-change", "kill -9 $PPID"}), Scratch("run.log"));
    ExpectKilled(run);
  }
  std::filesystem::remove(Out());
  bundles_.Break(grpc::Status(grpc::StatusCode::UNAVAILABLE, "away"));
  const CommandResult away = Once({"--on-change", Counting()});
  EXPECT_EQ(away.exit_code, 1);
  EXPECT_THAT(Events(away.output.substr(0, away.output.find("{\n"))),
              ElementsAre("written", "hook_done"));
  ExpectRoots({&one_});
  EXPECT_EQ(StageOnDisk(), "hooked");
  bundles_.Break(grpc::Status::OK);
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
}

// The hook is what comes after the file: it kills before it has done anything.
TEST_F(SettlingTest, KilledAfterTheFileIsWritten) {
  bundles_.Publish(Staged());
  {
    BackgroundProcess run(Command({"--on-change", "kill -9 $PPID"}), Scratch("run.log"));
    ExpectKilled(run);
  }
  ExpectRoots({&one_, &two_});
  EXPECT_EQ(StageOnDisk(), "accepted");
  // It waits for no bundle.
  bundles_.Break(grpc::Status(grpc::StatusCode::UNAVAILABLE, "away"));
  BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("again.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(2));
  EXPECT_THAT(Runs(), ElementsAre("2"));
  EXPECT_THAT(run.Log(), Not(HasSubstr("\"event\":\"written\"")));
}

TEST_F(SettlingTest, KilledWhileTheHookRunsItRunsAgain) {
  {
    BackgroundProcess run(Command({"--on-change", Counting("kill -9 $PPID")}), Scratch("run.log"));
    ExpectKilled(run);
  }
  EXPECT_THAT(bundles_.acknowledged_versions(), IsEmpty());
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
}

// Whether the service has heard it or not is the same to the follower.
TEST_F(SettlingTest, KilledWhileItAcknowledgesTheHookDoesNotRunAgain) {
  std::promise<void> asked, release;
  bundles_.Script({[&](const Acknowledgement&) {
    asked.set_value();
    release.get_future().wait();
    return grpc::Status::OK;
  }});
  {
    BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("run.log"));
    asked.get_future().wait();
    EXPECT_EQ(run.Stop(SIGKILL), 128 + SIGKILL) << run.Log();
  }
  release.set_value();
  EXPECT_EQ(StageOnDisk(), "hooked");
  EXPECT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1, 1));
  EXPECT_EQ(StageOnDisk(), "acknowledged");
}

// A kill at instants spread over the whole run; then a run that is left alone must end as if
// nothing had been.
TEST_F(SettlingTest, KilledAtAnyInstantTheNextRunFinishes) {
  std::vector<ca::BundleRoot> roots = {one_.In(RootState::kPrimary)};
  std::vector<Root> more;
  more.reserve(12);
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  for (int i = 0; i < 12; ++i) {
    const std::uint64_t version = static_cast<std::uint64_t>(i) + 2;
    more.emplace_back(i + 2);
    roots.push_back(more.back().In(RootState::kStaged));
    bundles_.Publish(Signed(BundleOf(version, roots), {&one_}));
    std::vector<std::string> killed = Command({"--on-change", Counting(), "--once"});
    killed.insert(killed.begin(), {"timeout", "-s", "KILL", absl::StrCat(0.01 * (i + 1))});
    RunCommand(killed);
    const CommandResult result = Once({"--on-change", Counting()});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const std::vector<std::string> runs = Runs();
    ASSERT_FALSE(runs.empty());
    EXPECT_EQ(runs.back(), absl::StrCat(version));
    EXPECT_LE(std::count(runs.begin(), runs.end(), runs.back()), 2);
    EXPECT_EQ(bundles_.acknowledged_versions().back(), version);
    EXPECT_EQ(StageOnDisk(), "acknowledged");
    const std::string file = ReadFileOrDie(Out());
    EXPECT_TRUE(absl::StrContains(file, PemByOpenssl(more.back())));
    EXPECT_FALSE(std::filesystem::exists(Out() + ".new"));
    EXPECT_FALSE(std::filesystem::exists(State() + ".new"));
  }
}

TEST_F(SettlingTest, AFileThatSomebodyChangedIsPutBackAndTheHookFollows) {
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  out_.Write("roots", PemByOpenssl(three_));
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  ExpectRoots({&one_});
  std::filesystem::remove(Out());
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  ExpectRoots({&one_});
  EXPECT_THAT(Runs(), ElementsAre("1", "1", "1"));
}

TEST_F(SettlingTest, WhatCannotBeWrittenIsToldBeforeAnythingIsAsked) {
  std::vector<std::string> command = Command({"--once"});
  const auto with_out = [&](const std::string& out) {
    std::vector<std::string> changed = command;
    *std::find(changed.begin(), changed.end(), Out()) = out;
    return RunCommand(changed);
  };
  for (const std::string& out : {out_.File("none/roots"), out_.path(), std::string("/dev/null")}) {
    const CommandResult result = with_out(out);
    EXPECT_EQ(result.exit_code, 1) << out;
    EXPECT_THAT(result.output, HasSubstr("\"field\": \"--out\"")) << out;
  }
  const CommandResult standard_output = with_out("-");
  EXPECT_EQ(standard_output.exit_code, 1);
  EXPECT_THAT(standard_output.output, HasSubstr("standard output cannot be kept up to date"));
  const CommandResult state = Once({"--state", out_.File("none/state")});
  EXPECT_EQ(state.exit_code, 1);
  EXPECT_THAT(state.output, HasSubstr("\"field\": \"--state\""));
  EXPECT_THAT(bundles_.acknowledged_versions(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(Out()));
}

// While it runs, too: it goes on once there is room.
TEST_F(SettlingTest, AFileThatCannotBeReplacedIsTriedAgain) {
  BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  // A folder that is not empty stands where the new content is written first.
  std::filesystem::create_directories(Out() + ".new/full");
  bundles_.Publish(Staged());
  ASSERT_TRUE(run.WaitForLog("\"event\":\"write_failed\"")) << run.Log();
  ExpectRoots({&one_});
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
  std::filesystem::remove_all(Out() + ".new");
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":2")) << run.Log();
  ExpectRoots({&one_, &two_});
  EXPECT_THAT(Runs(), ElementsAre("1", "2"));
}

// What is not written down is not done: the file would be ahead of what is trusted.
TEST_F(SettlingTest, AStateThatCannotBeReplacedHoldsUpTheFile) {
  BackgroundProcess run(Command({"--on-change", Counting()}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  std::filesystem::create_directories(State() + ".new/full");
  bundles_.Publish(Staged());
  ASSERT_TRUE(run.WaitForLog("\"event\":\"state_failed\"")) << run.Log();
  ExpectRoots({&one_});
  EXPECT_THAT(Runs(), ElementsAre("1"));
  std::filesystem::remove_all(State() + ".new");
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":2")) << run.Log();
  ExpectRoots({&one_, &two_});
}

TEST_F(SettlingTest, OutlivesSignalsThatAreNotMeantToEndIt) {
  BackgroundProcess run(Command(), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\"")) << run.Log();
  for (const int number : {SIGHUP, SIGUSR1, SIGPIPE, SIGALRM}) {
    kill(run.pid(), number);
    EXPECT_TRUE(run.WaitForLog(absl::StrCat("\"signal\":\"", SignalName(number), "\"")))
        << run.Log();
  }
  EXPECT_EQ(run.Stop(SIGINT), 0) << run.Log();
}

}  // namespace
}  // namespace hourglass::bundle
