#include "issuance/base/file_trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using testing::HasSubstr;

constexpr uid_t kStranger = 4711;

// Takes root, and a user namespace that knows other users; Bazel's sandbox does not.
bool CanGiveFilesAway() {
  const TemporaryDirectory directory;
  return chown(directory.Write("file", "").c_str(), kStranger, kStranger) == 0;
}

class FileTrustTest : public testing::Test {
 protected:
  FileTrustTest() {
    std::filesystem::create_directories(directory_.File("etc/policies"));
    file_ = directory_.Write("etc/policies/contoso.yaml", "version: 1\n");
    for (const char* path : {"etc", "etc/policies"}) Mode(path, 0755);
    Mode("etc/policies/contoso.yaml", 0644);
  }

  void Mode(const std::string& name, mode_t mode) {
    ASSERT_EQ(chmod(directory_.File(name).c_str(), mode), 0);
  }
  void Owner(const std::string& name, uid_t owner) {
    ASSERT_EQ(lchown(directory_.File(name).c_str(), owner, static_cast<gid_t>(-1)), 0);
  }
  std::string Says(const std::string& name, const std::string& what) const {
    return absl::StrCat("may be changed by others: ", directory_.File(name), " ", what);
  }

  TemporaryDirectory directory_;
  std::string file_;
};

TEST_F(FileTrustTest, IsGivenToWhatOnlyItsOwnerMayWrite) {
  EXPECT_EQ(MistakeInTrust(file_), "");
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/policies")), "");
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/none.yaml")), "");
  EXPECT_EQ(MistakeInTrust("/etc/passwd"), "");
  EXPECT_EQ(MistakeInTrustOfPlace("/tmp/address"), "");
}

TEST_F(FileTrustTest, IsNotGivenToWhatOthersMayWrite) {
  Mode("etc/policies/contoso.yaml", 0666);
  EXPECT_EQ(MistakeInTrust(file_),
            Says("etc/policies/contoso.yaml", "may be written by everybody, chmod go-w it"));
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/policies")), "");
  Mode("etc/policies/contoso.yaml", 0644);
  Mode("etc/policies", 0777);
  EXPECT_EQ(MistakeInTrust(file_),
            Says("etc/policies", "may be written by everybody, chmod go-w it"));
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/policies")),
            Says("etc/policies", "may be written by everybody, chmod go-w it"));
  Mode("etc/policies", 0755);
  Mode("etc", 0777);
  EXPECT_EQ(MistakeInTrust(file_), Says("etc", "may be written by everybody, chmod go-w it"));
}

// Where others can add files, but not replace this one.
TEST_F(FileTrustTest, AStickyFolderIsFineAboveButNotItself) {
  Mode("etc", 01777);
  EXPECT_EQ(MistakeInTrust(file_), "");
  EXPECT_EQ(MistakeInTrust(directory_.File("etc")),
            Says("etc", "may be written by everybody, chmod go-w it"));
  EXPECT_EQ(MistakeInTrustOfPlace(directory_.File("etc/address")), "");
  Mode("etc", 0777);
  EXPECT_EQ(MistakeInTrustOfPlace(directory_.File("etc/address")),
            Says("etc", "may be written by everybody, chmod go-w it"));
}

TEST_F(FileTrustTest, FollowsLinksAsTheKernelDoes) {
  std::filesystem::create_symlink("../etc/policies/contoso.yaml", directory_.File("etc/link"));
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/link")), "");
  Mode("etc/policies", 0777);
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/link")),
            Says("etc/policies", "may be written by everybody, chmod go-w it"));
  std::filesystem::create_symlink("circle", directory_.File("etc/circle"));
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/circle")), "") << "whoever reads it will say so";
}

// Debian's umask of 002 goes with a group for each user.
TEST_F(FileTrustTest, AGroupIsFineThatIsItsOwnersOwn) {
  if (!CanGiveFilesAway()) GTEST_SKIP();
  Mode("etc/policies", 0775);
  ASSERT_EQ(chown(directory_.File("etc/policies").c_str(), 0, 0), 0);
  EXPECT_EQ(MistakeInTrust(file_), "");
  ASSERT_EQ(chown(directory_.File("etc/policies").c_str(), 0, kStranger), 0);
  EXPECT_EQ(MistakeInTrust(file_),
            Says("etc/policies", "may be written by its group, chmod go-w it"));
}

TEST_F(FileTrustTest, IsNotGivenToWhatBelongsToAnother) {
  if (!CanGiveFilesAway()) GTEST_SKIP();
  const std::string to = "belongs to user 4711 and not to root";
  Owner("etc/policies/contoso.yaml", kStranger);
  EXPECT_EQ(MistakeInTrust(file_), Says("etc/policies/contoso.yaml", to));
  EXPECT_EQ(MistakeInWriters(file_), "");
  Mode("etc/policies/contoso.yaml", 0646);
  EXPECT_THAT(MistakeInWriters(file_), HasSubstr("may be written by everybody"));
  Mode("etc/policies/contoso.yaml", 0644);
  Owner("etc/policies/contoso.yaml", 0);
  Owner("etc/policies", kStranger);
  EXPECT_EQ(MistakeInTrust(file_), Says("etc/policies", to));
  Owner("etc/policies", 0);
  Owner("etc", kStranger);
  EXPECT_EQ(MistakeInTrust(file_), "")
      << "as where root works in the home of the one who called it";
  std::filesystem::create_symlink(file_, directory_.File("etc/link"));
  Owner("etc", 0);
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/link")), "");
  Owner("etc/link", kStranger);
  EXPECT_EQ(MistakeInTrust(directory_.File("etc/link")), Says("etc/link", to));
}

// The service's own account may own what it reads.
TEST(FileTrustOfAnAccountTest, IsGivenToItsOwnFiles) {
  if (!CanGiveFilesAway()) GTEST_SKIP();
  char folder[] = "/tmp/hourglass-trust.XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string own = absl::StrCat(folder, "/own");
  const std::string foreign = absl::StrCat(folder, "/foreign");
  for (const std::string& file : {own, foreign}) {
    std::ofstream(file) << "text";
    ASSERT_EQ(chown(file.c_str(), file == own ? kStranger : kStranger + 1, 0), 0);
  }
  ASSERT_EQ(chown(folder, kStranger, 0), 0);
  EXPECT_THAT(MistakeInTrust(own), HasSubstr("belongs to user 4711"));
  const pid_t pid = fork();
  if (pid == 0) {
    const bool became = setresuid(kStranger, kStranger, kStranger) == 0;
    _exit(became && MistakeInTrust(own).empty() && !MistakeInTrust(foreign).empty() ? 0 : 1);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  EXPECT_EQ(status, 0);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hourglass::issuance
