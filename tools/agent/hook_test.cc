#include "tools/agent/hook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tools/agent/waiter.h"

namespace hourglass::agent {
namespace {

// In a process of its own, which the signals to stop do not reach before.
void RunToItsEnd(const std::string& command, absl::Duration limit, absl::string_view failure) {
  auto waiter = Waiter::Create(true);
  if (!waiter.ok()) std::exit(2);
  const absl::Status status = RunHook("--on-change", command, {"WHAT=this"}, *waiter, limit);
  const bool as_expected =
      failure.empty()
          ? status.ok()
          : absl::IsAborted(status) && status.message().find(failure) != std::string::npos;
  if (!as_expected) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(as_expected ? 0 : 1);
}

class HookTest : public testing::Test {
 protected:
  HookTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void Expect(const std::string& command, const std::string& failure,
            absl::Duration limit = absl::Minutes(1)) {
  EXPECT_EXIT(RunToItsEnd(command, limit, failure), testing::ExitedWithCode(0), "") << command;
}

TEST_F(HookTest, SucceedsWithExitCode0Alone) {
  Expect("test \"$WHAT\" = this", "");
  Expect("exit 3", "ended with exit code 3");
  Expect("kill -KILL $$", "ended by signal 9");
}

TEST_F(HookTest, WhatTakesTooLongFailsWhateverItSaysAtItsEnd) {
  Expect("trap 'exit 0' TERM; while true; do sleep 0.01; done", "took longer than",
         absl::Milliseconds(1));
}

// Many a script ends in good order when it is told to, and has not done its work.
TEST_F(HookTest, WhatTheStopEndsFailsWhateverItSaysAtItsEnd) {
  Expect("trap 'exit 0' TERM; kill -TERM $PPID; while true; do sleep 0.01; done",
         "was ended by the stop");
}

}  // namespace
}  // namespace hourglass::agent
