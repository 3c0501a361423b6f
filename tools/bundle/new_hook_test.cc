// The program with another hook than the one that has run for the bundle it has.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/bundle/bundle_fixture.h"
#include "tools/bundle/scripted_bundles.h"

namespace hourglass::bundle {
namespace {

using testing::ElementsAre;

class NewHookTest : public BundleTest {
 protected:
  // The digest of the hook that is known to have succeeded, hexadecimal.
  std::string HookOnDisk() const {
    return Json::parse(ReadFileOrDie(State()), nullptr, false)["hook_sha256"];
  }
  std::string UnlessMended(const std::string& otherwise) const {
    return Counting("test -e " + Scratch("mended") + " || " + otherwise);
  }
  void Mend() { service_.directory().Write("mended", ""); }

  // A hook that has succeeded, and another that has done its work when the program is killed, with
  // the service away.
  void ChangeTheHookAndKill() {
    ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
    bundles_.Break(grpc::Status(grpc::StatusCode::UNAVAILABLE, "away"));
    {
      BackgroundProcess run(Command({"--on-change", UnlessMended("kill -9 $PPID")}),
                            Scratch("run.log"));
      ExpectKilled(run);
    }
    EXPECT_THAT(Runs(), ElementsAre("1", "1"));
    EXPECT_EQ(StageOnDisk(), "accepted");
    EXPECT_EQ(HookOnDisk(), "");
    EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
    bundles_.Break(grpc::Status::OK);
  }
};

TEST_F(NewHookTest, RunsOnceForTheBundleThatIsThere) {
  ASSERT_EQ(Once().exit_code, 0);
  EXPECT_EQ(HookOnDisk(), "");
  const CommandResult added = Once({"--on-change", Counting()});
  ASSERT_EQ(added.exit_code, 0) << added.output;
  EXPECT_THAT(Events(added.output), ElementsAre("hook_done", "acknowledged"));
  EXPECT_EQ(HookOnDisk(), OpensslOf("dgst -sha256 -r", Counting()).substr(0, 64));
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1"));
  ASSERT_EQ(Once({"--on-change", Counting("true changed")}).exit_code, 0);
  ASSERT_EQ(Once({"--on-change", Counting("true changed")}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
  // Without one, it is still known what ran for these roots.
  ASSERT_EQ(Once().exit_code, 0);
  ASSERT_EQ(Once({"--on-change", Counting("true changed")}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
  EXPECT_EQ(StageOnDisk(), "acknowledged");
}

TEST_F(NewHookTest, OneThatRanForTheSameRootsIsNotNew) {
  bundles_.Publish(Staged());
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  bundles_.Publish(Promoted());
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("2"));
  // It has not run for the roots that came while there was no hook.
  bundles_.Publish(Retired());
  ASSERT_EQ(Once().exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("2"));
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("2", "4"));
}

TEST_F(NewHookTest, NothingMoreIsAcknowledgedBeforeItHasSucceeded) {
  ASSERT_EQ(Once().exit_code, 0);
  ASSERT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
  BackgroundProcess run(Command({"--on-change", UnlessMended("exit 1")}), Scratch("run.log"));
  ASSERT_TRUE(run.WaitForLog("--on-change: ended with exit code 1")) << run.Log();
  EXPECT_EQ(StageOnDisk(), "accepted");
  // The next one has the same roots, for which the new hook is owed still.
  bundles_.Publish(Signed(BundleOf(2, {one_.In(RootState::kPrimary)}), {&one_}));
  ASSERT_TRUE(run.WaitForLog("\"event\":\"accepted\"")) << run.Log();
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1));
  Mend();
  ASSERT_TRUE(run.WaitForLog("\"event\":\"acknowledged\",\"version\":2")) << run.Log();
  EXPECT_EQ(run.Stop(SIGTERM), 0) << run.Log();
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1, 2));
  EXPECT_EQ(Runs().back(), "2");
}

TEST_F(NewHookTest, KilledBeforeItsSuccessIsNotedItRunsAgain) {
  ChangeTheHookAndKill();
  Mend();
  const std::string changed = UnlessMended("kill -9 $PPID");
  ASSERT_EQ(Once({"--on-change", changed}).exit_code, 0);
  ASSERT_EQ(Once({"--on-change", changed}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1", "1"));
  EXPECT_THAT(bundles_.acknowledged_versions(), ElementsAre(1, 1, 1));
  EXPECT_EQ(StageOnDisk(), "acknowledged");
}

// What it did when it ran, the former must undo.
TEST_F(NewHookTest, KilledBeforeItsSuccessIsNotedTheFormerOneIsNewToo) {
  ChangeTheHookAndKill();
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1", "1"));
}

// It says nothing of the hook, which may have been added together with the new program.
TEST_F(NewHookTest, AStateOfAnOlderProgramKnowsOfNone) {
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  Json older = Json::parse(ReadFileOrDie(State()), nullptr, false);
  ASSERT_EQ(older.erase("hook_sha256"), 1u);
  out_.Write("roots.state", older.dump());
  ASSERT_EQ(Once().exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1")) << "there is none to run";
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  ASSERT_EQ(Once({"--on-change", Counting()}).exit_code, 0);
  EXPECT_THAT(Runs(), ElementsAre("1", "1"));
}

}  // namespace
}  // namespace hourglass::bundle
