#include "hsm/base/signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

namespace hourglass {
namespace {

using testing::Contains;
using testing::Not;

TEST(StraySignalsTest, AreThoseThatNobodyEndsAProcessWith) {
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM, SIGIO, SIGRTMIN, SIGRTMAX}) {
    EXPECT_THAT(StraySignals(), Contains(number));
  }
  for (const int number : {SIGINT, SIGTERM, SIGQUIT, SIGABRT, SIGSEGV, SIGSYS, SIGCHLD, SIGKILL}) {
    EXPECT_THAT(StraySignals(), Not(Contains(number)));
  }
}

TEST(StraySignalsTest, HaveNames) {
  EXPECT_EQ(SignalName(SIGHUP), "SIGHUP");
  EXPECT_EQ(SignalName(SIGRTMIN + 3), "SIGRTMIN+3");
}

// The status's form is wait(2)'s.
TEST(ProcessEndingTest, TellsHowItEnded) {
  EXPECT_EQ(ProcessEnding(W_EXITCODE(9, 0)), "exited with 9");
  EXPECT_EQ(ProcessEnding(W_EXITCODE(0, SIGSEGV)), "killed by SIGSEGV");
}

// Not even one that a library unblocks.
TEST(StraySignalsTest, EndNobodyAndCanBeWaitedFor) {
  signal(SIGPROF, [](int) {});
  const sigset_t blocked = BlockStraySignals();
  EXPECT_EQ(sigismember(&blocked, SIGPROF), 0) << "somebody has a use for it";
  for (const int number : {SIGHUP, SIGPIPE, SIGRTMAX}) {
    ASSERT_EQ(sigismember(&blocked, number), 1);
    ASSERT_EQ(raise(number), 0);
    siginfo_t about = {};
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    EXPECT_EQ(sigwaitinfo(&one, &about), number);
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    EXPECT_EQ(raise(number), 0);
    pthread_sigmask(SIG_BLOCK, &one, nullptr);
  }
}

}  // namespace
}  // namespace hourglass
