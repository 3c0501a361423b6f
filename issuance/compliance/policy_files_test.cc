#include "issuance/compliance/policy_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "issuance/base/clock.h"
#include "tests/support/manual_clock.h"
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
  const SystemClock clock;
  PolicyFiles files(directory.path(), &clock);
  EXPECT_THAT(VersionOf(files.Get("contoso")), StartsWith("c1 "));
  EXPECT_THAT(VersionOf(files.Get("fabrikam")), StartsWith("f1 "));
  const PolicyFiles::Result absent = files.Get("tailspin");
  EXPECT_OK(absent.status);
  EXPECT_EQ(absent.policy, nullptr);
}

TEST(PolicyFilesTest, SeesEveryChangeAtOnce) {
  const TemporaryDirectory directory;
  const SystemClock clock;
  PolicyFiles files(directory.path(), &clock);
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
  const SystemClock clock;
  PolicyFiles files(directory.path(), &clock);
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

// No file of this process can be opened while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit none = before_;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_ = {};
};

class UnreadPolicyTest : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  SystemClock clock_;
  PolicyFiles::Time now_;
  std::unique_ptr<PolicyFiles> files_ = Files(directory_.path());

  std::unique_ptr<PolicyFiles> Files(const std::string& directory) {
    return std::make_unique<PolicyFiles>(directory, &clock_, [this] { return now_; });
  }
};

TEST_F(UnreadPolicyTest, IsNoPolicyAndIsReadAgainThoughNobodyTouchesIt) {
  directory_.Write("contoso.yaml", PolicyText("v1"));
  {
    const NoDescriptors none;
    const PolicyFiles::Result unread = files_->Get("contoso");
    EXPECT_THAT(unread.status, FailsWith(ErrorReason::kComplianceUnavailable));
    EXPECT_TRUE(unread.read_anew);
    EXPECT_EQ(unread.policy, nullptr);
    EXPECT_EQ(std::string(unread.status.message()),
              directory_.File("contoso.yaml") + ":1: cannot be read: Too many open files");
  }
  now_ += std::chrono::milliseconds(100);
  EXPECT_THAT(VersionOf(files_->Get("contoso")), StartsWith("v1 "));
}

TEST_F(UnreadPolicyTest, IsNotTriedByEveryRequest) {
  directory_.Write("contoso.yaml", PolicyText("v1"));
  // In milliseconds: doubled, up to five seconds.
  for (const int wait : {100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000}) {
    {
      const NoDescriptors none;
      EXPECT_TRUE(files_->Get("contoso").read_anew);
    }
    now_ += std::chrono::milliseconds(wait - 1);
    const PolicyFiles::Result waiting = files_->Get("contoso");
    EXPECT_FALSE(waiting.read_anew) << wait;
    EXPECT_THAT(waiting.status, FailsWith(ErrorReason::kComplianceUnavailable));
    now_ += std::chrono::milliseconds(1);
  }
  EXPECT_THAT(VersionOf(files_->Get("contoso")), StartsWith("v1 "));
  // Forgotten with it: the next failure begins anew.
  directory_.Write("contoso.yaml", PolicyText("v2"));
  {
    const NoDescriptors none;
    EXPECT_TRUE(files_->Get("contoso").read_anew);
  }
  now_ += std::chrono::milliseconds(100);
  EXPECT_THAT(VersionOf(files_->Get("contoso")), StartsWith("v2 "));
}

TEST_F(UnreadPolicyTest, IsAPolicyThatWasReadOnceBefore) {
  directory_.Write("contoso.yaml", PolicyText("v1"));
  ASSERT_OK(files_->Get("contoso").status);
  std::filesystem::remove(directory_.File("contoso.yaml"));
  std::filesystem::create_symlink("contoso.yaml", directory_.File("contoso.yaml"));
  EXPECT_THAT(files_->Get("contoso").status, FailsWith(ErrorReason::kComplianceUnavailable));
  std::filesystem::remove(directory_.File("contoso.yaml"));
  std::filesystem::create_symlink("nowhere", directory_.File("contoso.yaml"));
  now_ += std::chrono::seconds(5);
  EXPECT_THAT(files_->Get("contoso").status, FailsWith(ErrorReason::kComplianceUnavailable));
  std::filesystem::remove(directory_.File("contoso.yaml"));
  now_ += std::chrono::seconds(5);
  EXPECT_OK(files_->Get("contoso").status);
  EXPECT_EQ(VersionOf(files_->Get("contoso")), "no policy");
}

TEST_F(UnreadPolicyTest, IsOneWhoseFolderWentAway) {
  const std::string folder = directory_.File("policies");
  std::filesystem::create_directory(folder);
  directory_.Write("policies/contoso.yaml", PolicyText("v1"));
  files_ = Files(folder);
  EXPECT_THAT(VersionOf(files_->Get("contoso")), StartsWith("v1 "));
  EXPECT_OK(files_->Get("fabrikam").status);
  std::filesystem::rename(folder, directory_.File("away"));
  EXPECT_THAT(files_->Get("contoso").status, FailsWith(ErrorReason::kComplianceUnavailable));
  EXPECT_THAT(files_->Get("fabrikam").status, FailsWith(ErrorReason::kComplianceUnavailable));
  // What an unmounted file system leaves behind.
  std::filesystem::create_directory(folder);
  now_ += std::chrono::seconds(5);
  EXPECT_THAT(files_->Get("contoso").status, FailsWith(ErrorReason::kComplianceUnavailable));
  std::filesystem::remove(folder);
  std::filesystem::rename(directory_.File("away"), folder);
  now_ += std::chrono::seconds(5);
  EXPECT_THAT(VersionOf(files_->Get("contoso")), StartsWith("v1 "));
  EXPECT_OK(files_->Get("fabrikam").status);
}

TEST_F(UnreadPolicyTest, IsNotOneThatANewFolderLacks) {
  const std::string folder = directory_.File("policies");
  std::filesystem::create_directory(folder);
  directory_.Write("policies/contoso.yaml", PolicyText("v1"));
  files_ = Files(folder);
  std::filesystem::rename(folder, directory_.File("old"));
  std::filesystem::create_directory(folder);
  directory_.Write("policies/fabrikam.yaml", PolicyText("v2"));
  EXPECT_OK(files_->Get("contoso").status);
  EXPECT_EQ(VersionOf(files_->Get("contoso")), "no policy");
  EXPECT_THAT(VersionOf(files_->Get("fabrikam")), StartsWith("v2 "));
  // Emptied by hand, it is the same folder still.
  std::filesystem::remove(directory_.File("policies/fabrikam.yaml"));
  EXPECT_OK(files_->Get("fabrikam").status);
  EXPECT_EQ(VersionOf(files_->Get("fabrikam")), "no policy");
}

TEST(PolicyFilesTest, DoesNotTrustTheStampOfAFreshFile) {
  const TemporaryDirectory directory;
  ManualClock clock;
  directory.Write("contoso.yaml", PolicyText("v1"));
  PolicyFiles files(directory.path(), &clock);
  EXPECT_TRUE(files.Get("contoso").read_anew);
  EXPECT_TRUE(files.Get("contoso").read_anew);
  // Nor is it where the clock was set back; but a day later it has settled.
  clock.Advance(-std::chrono::hours(24));
  EXPECT_TRUE(files.Get("contoso").read_anew);
  EXPECT_TRUE(files.Get("contoso").read_anew);
  clock.Advance(std::chrono::hours(48));
  EXPECT_TRUE(files.Get("contoso").read_anew);
  EXPECT_FALSE(files.Get("contoso").read_anew);
}

TEST(PolicyFilesTest, ReadsASettledFileOnce) {
  // A file of the system that no test run has just written.
  const TemporaryDirectory directory;
  std::filesystem::create_symlink("/etc/debian_version", directory.File("contoso.yaml"));
  const SystemClock clock;
  PolicyFiles files(directory.path(), &clock);
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
  const SystemClock clock;
  PolicyFiles files(directory.File("policies"), &clock);
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
  const SystemClock clock;
  PolicyFiles files(directory.path(), &clock);
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
