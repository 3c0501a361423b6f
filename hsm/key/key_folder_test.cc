#include "hsm/key/key_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::hsm {
namespace {

constexpr uid_t kService = 64321;
constexpr uid_t kStranger = 64322;

// A folder that any user reaches, which a test's own may not be. Only root can give it away.
class KeyFolderOwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    if (chown(path_.c_str(), kStranger, 0) != 0) {
      GTEST_SKIP() << "only root, and not in every sandbox, can give a folder away";
    }
  }
  void TearDown() override {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  absl::StatusOr<KeyFolder> Folder() const {
    return KeyFolder::Create(path_, {"keys.software_directory", "software:", ".pem"});
  }
  std::string File() const { return absl::StrCat(path_, "/key.pem"); }
  uid_t OwnerOfFile() const {
    struct stat facts = {};
    EXPECT_EQ(stat(File().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0600U);
    return facts.st_uid;
  }

  std::string path_ = "/tmp/key-folder.XXXXXX";
};

TEST_F(KeyFolderOwnerTest, TakesNothingOfAnotherUser) {
  ASSERT_EQ(chown(path_.c_str(), kStranger, 0), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  ASSERT_EQ(seteuid(kService), 0);
  const absl::Cleanup be_root = [] { EXPECT_EQ(seteuid(0), 0); };
  const auto refused = Folder();
  EXPECT_THAT(refused.status(),
              FailsWith(ErrorReason::kConfigurationInvalid, "keys.software_directory"));
  EXPECT_THAT(std::string(refused.status().message()),
              testing::HasSubstr("belongs to another user"));
  for (const uid_t owner : {kService, uid_t{0}}) {
    ASSERT_EQ(seteuid(0), 0);
    ASSERT_EQ(chown(path_.c_str(), owner, 0), 0);
    ASSERT_EQ(seteuid(kService), 0);
    EXPECT_OK(Folder().status());
  }
}

TEST_F(KeyFolderOwnerTest, RootLeavesFilesToTheServiceWhoseTheyAre) {
  ASSERT_EQ(chown(path_.c_str(), kService, 0), 0);
  ASSERT_OK_AND_ASSIGN(const KeyFolder folder, Folder());
  ASSERT_OK(folder.Write("key", "one"));
  EXPECT_EQ(OwnerOfFile(), kService);
  ASSERT_OK(folder.Replace("key", "two"));
  EXPECT_EQ(OwnerOfFile(), kService);
  ASSERT_EQ(chown(path_.c_str(), 0, 0), 0);
  ASSERT_EQ(chmod(path_.c_str(), 0755), 0);
  ASSERT_OK(folder.Replace("key", "three"));
  EXPECT_EQ(OwnerOfFile(), kService);
  ASSERT_EQ(seteuid(kService), 0);
  const absl::Cleanup be_root = [] { EXPECT_EQ(seteuid(0), 0); };
  ASSERT_OK_AND_ASSIGN(const SecretText content, folder.Read("key", 100));
  EXPECT_EQ(content.get(), "three");
}

}  // namespace
}  // namespace hourglass::hsm
