#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <time.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "tests/failover/process_tree.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::failover {
namespace {

constexpr char kEndTogether[] = "tests/failover/end_together";
// One that leaves its parent and its session, as a postmaster does, beside one that stays.
constexpr char kFamily[] = "(setsid sleep 1000 &); sleep 1000 & echo started; wait";

std::vector<RunningProcess> SleepersBelow(pid_t root) {
  std::vector<RunningProcess> sleepers = DescendantsOf(root);
  std::erase_if(sleepers, [](const RunningProcess& process) {
    return !absl::StartsWith(process.title, "sleep 1000");
  });
  return sleepers;
}

// Once they have become what they are called.
std::vector<RunningProcess> WaitForSleepersBelow(pid_t root) {
  std::vector<RunningProcess> sleepers;
  while ((sleepers = SleepersBelow(root)).size() < 2) {
    const timespec a_millisecond = {0, 1'000'000};
    nanosleep(&a_millisecond, nullptr);
  }
  return sleepers;
}

bool Runs(const RunningProcess& process) { return kill(process.pid, 0) == 0; }

class EndTogetherTest : public testing::Test {
 protected:
  const TemporaryDirectory folder_;
  const std::string log_ = folder_.File("log");
};

TEST_F(EndTogetherTest, EndsWhatHasLeftItsParent) {
  BackgroundProcess family({kEndTogether, "bash", "-c", kFamily}, log_);
  const std::vector<RunningProcess> sleepers = WaitForSleepersBelow(family.pid());
  for (const RunningProcess& sleeper : sleepers) EXPECT_TRUE(Runs(sleeper));
  EXPECT_EQ(family.Stop(SIGTERM), 128 + SIGTERM);
  for (const RunningProcess& sleeper : sleepers) EXPECT_FALSE(Runs(sleeper));
}

TEST_F(EndTogetherTest, EndsAllWithTheProgramAndSaysHowThatEnded) {
  const CommandResult ended = RunCommand(
      {kEndTogether, "bash", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!; exit 7"});
  EXPECT_EQ(ended.exit_code, 7);
  RunningProcess sleeper;
  ASSERT_TRUE(absl::SimpleAtoi(ended.output, &sleeper.pid)) << ended.output;
  EXPECT_FALSE(Runs(sleeper));
}

TEST_F(EndTogetherTest, EndsAllWhenItsStarterDies) {
  BackgroundProcess starter({"bash", "-c", "\"$0\" bash -c \"$1\" & wait", kEndTogether, kFamily},
                            log_);
  const std::vector<RunningProcess> sleepers = WaitForSleepersBelow(starter.pid());
  starter.Stop(SIGKILL);
  for (const RunningProcess& sleeper : sleepers) {
    while (Runs(sleeper)) {
      const timespec a_millisecond = {0, 1'000'000};
      nanosleep(&a_millisecond, nullptr);
    }
  }
}

TEST_F(EndTogetherTest, StopsAndContinuesAllBelow) {
  BackgroundProcess family({kEndTogether, "bash", "-c", kFamily}, log_);
  WaitForSleepersBelow(family.pid());
  StopDescendants(family.pid());
  for (const RunningProcess& process : DescendantsOf(family.pid())) {
    EXPECT_EQ(process.state, 'T') << process.title;
  }
  ContinueDescendants(family.pid());
  for (const RunningProcess& process : DescendantsOf(family.pid())) {
    EXPECT_NE(process.state, 'T') << process.title;
  }
  // Also of those that stand.
  StopDescendants(family.pid());
  EXPECT_EQ(family.Stop(SIGTERM), 128 + SIGTERM);
}

}  // namespace
}  // namespace hourglass::failover
