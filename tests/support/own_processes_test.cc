#include "tests/support/own_processes.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

bool IsHeld(const std::string& lock, const std::string& how) {
  return RunCommand({"flock", how, lock, "true"}).exit_code != 0;
}

// This program, as another test of it would be.
class OwnProcessesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "SKIPPED: namespaces need root";
  }
  BackgroundProcess Start(const std::string& name) const {
    return BackgroundProcess({"/proc/self/exe", "--gtest_also_run_disabled_tests",
                              absl::StrCat("--gtest_filter=AnotherTest.DISABLED_", name)},
                             directory_.File("log"),
                             {absl::StrCat("LOCK=", directory_.File("lock")),
                              absl::StrCat("XML_OUTPUT_FILE=", directory_.File("xml")),
                              absl::StrCat("TEST_PREMATURE_EXIT_FILE=", directory_.File("exit"))});
  }
  TemporaryDirectory directory_;
};

TEST(AnotherTest, DISABLED_Hangs) {
  ASSERT_EQ(KeepProcessesTogether(), "");
  const std::string lock = std::getenv("LOCK");
  const BackgroundProcess holder({"flock", lock, "sleep", "1000"}, absl::StrCat(lock, ".log"));
  while (!IsHeld(lock, "--nonblock")) continue;
  std::puts("started");
  std::fflush(stdout);
  pause();
}

TEST(AnotherTest, DISABLED_Passes) { EXPECT_EQ(KeepProcessesTogether(), ""); }

TEST(AnotherTest, DISABLED_Fails) {
  ASSERT_EQ(KeepProcessesTogether(), "");
  FAIL();
}

TEST(AnotherTest, DISABLED_Dies) {
  ASSERT_EQ(KeepProcessesTogether(), "");
  raise(SIGKILL);
}

TEST_F(OwnProcessesTest, WhatWasStartedEndsWithATestThatIsKilled) {
  BackgroundProcess test = Start("Hangs");
  ASSERT_TRUE(test.WaitForLog("started")) << test.Log();
  EXPECT_TRUE(IsHeld(directory_.File("lock"), "--nonblock"));
  test.Stop(SIGKILL);
  EXPECT_FALSE(IsHeld(directory_.File("lock"), "--wait=20"));
}

TEST_F(OwnProcessesTest, TheTestEndsAsTheOneThatGoesOn) {
  for (const auto& [name, exit_code] :
       std::vector<std::pair<std::string, int>>{{"Passes", 0}, {"Fails", 1}, {"Dies", 137}}) {
    BackgroundProcess test = Start(name);
    // Signal 0 asks for nothing: it is waited for.
    EXPECT_EQ(test.Stop(0), exit_code) << name << test.Log();
  }
}

}  // namespace
}  // namespace hourglass
