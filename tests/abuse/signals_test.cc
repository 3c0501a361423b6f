// Signals that operators, terminals and log rotation send, to processes that have no use for them.
#include "hsm/base/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass {
namespace {

TEST(SignalsTest, TheServiceOutlivesWhatIsNotMeantToEndIt) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  for (const int number : StraySignals()) {
    ASSERT_EQ(kill(daemon.pid(), number), 0);
    EXPECT_TRUE(daemon.WaitForLog(absl::StrCat(R"("event":"signal_ignored","signal":")",
                                               SignalName(number), R"(","pid":")", getpid())))
        << SignalName(number) << "\n"
        << daemon.Log();
    ASSERT_TRUE(daemon.Running()) << SignalName(number);
  }
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_EQ(daemon.Stop(), 0);
}

TEST(SignalsTest, KeyHoldersOutliveThemToo) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  const std::vector<int> before = daemon.Keyholders();
  ASSERT_FALSE(before.empty());
  for (const int number : StraySignals()) {
    for (const int pid : before) ASSERT_EQ(kill(pid, number), 0);
    EXPECT_TRUE(daemon.WaitForLog(absl::StrCat("ignored signal ", number < 10 ? "0" : "", number)))
        << SignalName(number);
    EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded()) << SignalName(number);
  }
  EXPECT_THAT(daemon.Keyholders(), testing::UnorderedElementsAreArray(before));
  EXPECT_EQ(daemon.Stop(), 0);
  EXPECT_THAT(daemon.Log(), testing::Not(testing::HasSubstr("keyholder_ended")));
}

}  // namespace
}  // namespace hourglass
