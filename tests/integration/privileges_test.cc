// What hourglassd and its key holders give up, seen from outside.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/keyholder/process/call_filter.h"
#include "tests/support/daemon.h"
#include "tests/support/grpc_matchers.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string FileOfProcess(int pid, const std::string& name) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/", name), std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

TEST(PrivilegesTest, AFilterOfCallsIsOnEveryThread) {
  if (!hsm::CallFilterIsBuiltIn()) GTEST_SKIP() << "a sanitiser is built in";
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  std::vector<int> processes = daemon.Keyholders();
  ASSERT_FALSE(processes.empty());
  processes.push_back(daemon.pid());
  for (const int pid : processes) {
    for (const auto& thread :
         std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"))) {
      const std::string status =
          FileOfProcess(pid, absl::StrCat("task/", thread.path().filename().string(), "/status"));
      EXPECT_THAT(status, HasSubstr("\nNoNewPrivs:\t1\n")) << thread.path();
      EXPECT_THAT(status, HasSubstr("\nSeccomp:\t2\n")) << thread.path();
    }
  }
}

// 0 where it is not known.
int ParentOf(int pid) {
  const std::string status = FileOfProcess(pid, "status");
  const std::string before = "\nPPid:\t";
  const std::size_t at = status.find(before);
  return at == std::string::npos ? 0 : std::atoi(status.c_str() + at + before.size());
}

// Nothing else may start it anew: who starts key holders knows where PINs are.
TEST(PrivilegesTest, TheServiceEndsForANewStartWithWhatStartsItsKeyHolders) {
  Daemon daemon;
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  const std::vector<int> keyholders = daemon.Keyholders();
  ASSERT_FALSE(keyholders.empty());
  const int spawner = ParentOf(keyholders.front());
  ASSERT_EQ(ParentOf(spawner), daemon.pid());
  // One that only stops is no reason.
  ASSERT_EQ(kill(spawner, SIGSTOP), 0);
  ASSERT_EQ(kill(spawner, SIGCONT), 0);
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  ASSERT_EQ(kill(spawner, SIGKILL), 0);
  EXPECT_TRUE(daemon.WaitForLog("\"event\":\"spawner_ended\",\"how\":\"killed by SIGKILL\""))
      << daemon.Log();
  EXPECT_EQ(daemon.Stop(), 1);
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
}

TEST(PrivilegesTest, KeyHoldersGetNoVariableButThoseTheyNeed) {
  if (geteuid() != 0) GTEST_SKIP() << "only root sees the environment of these processes";
  Daemon daemon;
  daemon.Configure(absl::StrCat("{tokens: [\"", daemon.token().Uri(),
                                "\"], environment: [OF_A_VENDOR, NOT_SET]}"),
                   daemon.data_directory());
  setenv("PIN_OF_ANOTHER_TOKEN", "97531", 1);
  setenv("OF_A_VENDOR", "configured", 1);
  setenv("TPM2_PKCS11_STORE", "/of/a/module", 1);
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  unsetenv("PIN_OF_ANOTHER_TOKEN");
  unsetenv("OF_A_VENDOR");
  unsetenv("TPM2_PKCS11_STORE");
  daemon.MakeReady();
  ASSERT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_THAT(FileOfProcess(daemon.pid(), "environ"), HasSubstr("PIN_OF_ANOTHER_TOKEN=97531"));
  const std::vector<int> keyholders = daemon.Keyholders();
  ASSERT_FALSE(keyholders.empty());
  for (const int pid : keyholders) {
    const std::string environment = FileOfProcess(pid, "environ");
    EXPECT_THAT(environment, HasSubstr("SOFTHSM2_CONF="));
    EXPECT_THAT(environment, HasSubstr("TPM2_PKCS11_STORE=/of/a/module"));
    EXPECT_THAT(environment, HasSubstr("OF_A_VENDOR=configured"));
    EXPECT_THAT(environment, Not(HasSubstr("NOT_SET")));
    EXPECT_THAT(environment, Not(HasSubstr("97531")));
  }
}

TEST(PrivilegesTest, APinInTheEnvironmentIsWarnedOf) {
  Daemon daemon;
  const std::string uri =
      absl::StrCat("pkcs11:token=hourglass?module-path=", SofthsmToken::kModulePath,
                   "&pin-source=env:HOURGLASS_TEST_PIN");
  daemon.Configure(absl::StrCat("{tokens: [\"", uri, "\"]}"), daemon.data_directory());
  setenv("HOURGLASS_TEST_PIN", daemon.token().pin().c_str(), 1);
  ASSERT_TRUE(daemon.Start()) << daemon.Log();
  daemon.MakeReady();
  EXPECT_THAT(daemon.Issue(daemon.Request()), Succeeded());
  EXPECT_THAT(daemon.Log(), HasSubstr("\"event\":\"pin_in_environment\""));
  EXPECT_THAT(daemon.Log(), HasSubstr("keys.tokens[0]"));
  EXPECT_THAT(daemon.Log(), Not(HasSubstr(daemon.token().pin())));
  const CommandResult check =
      RunCommand({Daemon::kProgram, "--config", daemon.config_file(), "--check"});
  unsetenv("HOURGLASS_TEST_PIN");
  EXPECT_EQ(check.exit_code, 0);
  EXPECT_THAT(check.output, HasSubstr("warning: keys.tokens[0]: the PIN is in the environment"));

  Daemon sound;
  ASSERT_TRUE(sound.Start()) << sound.Log();
  EXPECT_THAT(sound.Log(), Not(HasSubstr("pin_in_environment")));
}

}  // namespace
}  // namespace hourglass
