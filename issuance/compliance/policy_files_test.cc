#include "issuance/compliance/policy_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::StartsWith;

std::string PolicyText(absl::string_view version) {
  return absl::StrCat("version: ", version, "\ndisk_encryption: {enabled: true}\n");
}

std::string VersionOf(const PolicyFiles::Result& result) {
  return result.policy != nullptr ? result.policy->version : "no policy";
}

TEST(PolicyFilesTest, GivesEachTenantItsOwn) {
  const TemporaryDirectory directory;
  directory.Write("contoso.yaml", PolicyText("c1"));
  directory.Write("fabrikam.yaml", PolicyText("f1"));
  PolicyFiles files(directory.path());
  EXPECT_THAT(VersionOf(files.Get("contoso")), StartsWith("c1 "));
  EXPECT_THAT(VersionOf(files.Get("fabrikam")), StartsWith("f1 "));
  const PolicyFiles::Result absent = files.Get("tailspin");
  EXPECT_OK(absent.status);
  EXPECT_EQ(absent.policy, nullptr);
}

TEST(PolicyFilesTest, SeesEveryChangeAtOnce) {
  const TemporaryDirectory directory;
  PolicyFiles files(directory.path());
  EXPECT_EQ(VersionOf(files.Get("contoso")), "no policy");
  // As fast as can be, and all of one size: more changes than the kernel has ticks for.
  for (int i = 100; i < 200; ++i) {
    directory.Write("contoso.yaml", PolicyText(absl::StrCat("v", i)));
    ASSERT_THAT(VersionOf(files.Get("contoso")), StartsWith(absl::StrCat("v", i, " ")));
  }
  directory.Write("next", PolicyText("v200"));
  std::filesystem::rename(directory.File("next"), directory.File("contoso.yaml"));
  EXPECT_THAT(VersionOf(files.Get("contoso")), StartsWith("v200 "));
  std::filesystem::remove(directory.File("contoso.yaml"));
  EXPECT_EQ(VersionOf(files.Get("contoso")), "no policy");
  directory.Write("contoso.yaml", PolicyText("v201"));
  EXPECT_THAT(VersionOf(files.Get("contoso")), StartsWith("v201 "));
}

TEST(PolicyFilesTest, AnUnreadableFileIsAnErrorUntilItIsMended) {
  const TemporaryDirectory directory;
  const std::string path = directory.Write("contoso.yaml", PolicyText("v1"));
  PolicyFiles files(directory.path());
  ASSERT_OK(files.Get("contoso").status);
  directory.Write("contoso.yaml", "version: v2\n");
  const PolicyFiles::Result broken = files.Get("contoso");
  EXPECT_THAT(broken.status, FailsWith(ErrorReason::kConfigurationInvalid));
  EXPECT_EQ(std::string(broken.status.message()), path + ":1: the policy evaluates nothing");
  EXPECT_EQ(broken.policy, nullptr);
  EXPECT_TRUE(broken.read_anew);
  directory.Write("contoso.yaml", PolicyText("v3"));
  EXPECT_THAT(VersionOf(files.Get("contoso")), StartsWith("v3 "));
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  EXPECT_THAT(files.Get("contoso").status, FailsWith(ErrorReason::kConfigurationInvalid));
}

TEST(PolicyFilesTest, DoesNotTrustTheStampOfAFreshFile) {
  const TemporaryDirectory directory;
  const auto before = std::chrono::steady_clock::now();
  directory.Write("contoso.yaml", PolicyText("v1"));
  PolicyFiles files(directory.path());
  EXPECT_TRUE(files.Get("contoso").read_anew);
  const bool read_anew = files.Get("contoso").read_anew;
  if (std::chrono::steady_clock::now() - before > std::chrono::seconds(1)) {
    GTEST_SKIP() << "this machine is too slow to ask twice while the file is fresh";
  }
  EXPECT_TRUE(read_anew);
}

TEST(PolicyFilesTest, ReadsASettledFileOnce) {
  // A file of the system that no test run has just written.
  const TemporaryDirectory directory;
  std::filesystem::create_symlink("/etc/debian_version", directory.File("contoso.yaml"));
  PolicyFiles files(directory.path());
  EXPECT_TRUE(files.Get("contoso").read_anew);
  const PolicyFiles::Result again = files.Get("contoso");
  EXPECT_FALSE(again.read_anew);
  EXPECT_THAT(again.status, FailsWith(ErrorReason::kConfigurationInvalid));
}

TEST(PolicyFilesTest, NeverLeavesItsFolder) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.File("policies"));
  directory.Write("outside.yaml", PolicyText("v1"));
  directory.Write("policies/.yaml", PolicyText("v1"));
  directory.Write("policies/Upper.yaml", PolicyText("v1"));
  directory.Write("policies/inside.yaml", PolicyText("v1"));
  PolicyFiles files(directory.File("policies"));
  EXPECT_THAT(VersionOf(files.Get("inside")), StartsWith("v1 "));
  for (const std::string& id :
       {std::string("../outside"), std::string(""), std::string("."), std::string("Upper"),
        directory.File("outside"), std::string("inside.yaml/../inside"), std::string("inside\0", 7),
        std::string("./inside")}) {
    EXPECT_EQ(VersionOf(files.Get(id)), "no policy") << id;
  }
}

TEST(PolicyFilesTest, ServesSeveralThreadsWhileFilesChange) {
  const TemporaryDirectory directory;
  directory.Write("contoso.yaml", PolicyText("v0"));
  PolicyFiles files(directory.path());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const PolicyFiles::Result result = files.Get("contoso");
        EXPECT_OK(result.status);
        EXPECT_THAT(VersionOf(result), StartsWith("v"));
      }
    });
  }
  for (int i = 1; i < 50; ++i) {
    directory.Write("next", PolicyText(absl::StrCat("v", i)));
    std::filesystem::rename(directory.File("next"), directory.File("contoso.yaml"));
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hourglass::issuance
