#include "tools/gateways/kit_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::gateways {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class KitFolderTest : public testing::Test {
 protected:
  // All that is in the test's folder, relative.
  std::vector<std::string> Everything() const {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
      all.push_back(std::filesystem::relative(entry.path(), directory_.path()).string());
    }
    return all;
  }
  mode_t ModeOf(const std::string& path) const {
    struct stat status = {};
    EXPECT_EQ(stat(directory_.File(path).c_str(), &status), 0) << path;
    return status.st_mode & 07777;
  }

  const TemporaryDirectory directory_;
  const std::string out_ = directory_.File("kit");
  const std::vector<KitFile> files_ = {
      {"README", "read me"}, {"a/b/secret", "s", true}, {"a/run", "#!/bin/sh", false, true}};
};

TEST_F(KitFolderTest, AllIsThereWithItsMode) {
  const mode_t before = umask(077);
  const absl::Status status = WriteKitFolder(out_ + "/", files_, false);
  umask(before);
  ASSERT_OK(status);
  EXPECT_THAT(Everything(), UnorderedElementsAre("kit", "kit/README", "kit/a", "kit/a/b",
                                                 "kit/a/b/secret", "kit/a/run"));
  EXPECT_EQ(ReadFileOrDie(directory_.File("kit/README")), "read me");
  EXPECT_EQ(ModeOf("kit"), 0755U);
  EXPECT_EQ(ModeOf("kit/a/b"), 0755U);
  EXPECT_EQ(ModeOf("kit/README"), 0644U);
  EXPECT_EQ(ModeOf("kit/a/b/secret"), 0600U);
  EXPECT_EQ(ModeOf("kit/a/run"), 0755U);
}

TEST_F(KitFolderTest, WhatIsThereStaysAsItIs) {
  const absl::Status refused_before = WriteKitFolder(directory_.path(), files_, false);
  EXPECT_THAT(refused_before, FailsWith(ErrorReason::kFieldInvalid, "--out"));
  EXPECT_THAT(std::string(refused_before.message()), HasSubstr("--force"));
  directory_.Write("kit", "a file");
  std::filesystem::create_symlink("nowhere", directory_.File("link"));
  for (const char* name : {"kit", "link"}) {
    for (const bool force : {false, true}) {
      EXPECT_THAT(WriteKitFolder(directory_.File(name), files_, force),
                  FailsWith(ErrorReason::kFieldInvalid, "--out"))
          << name << force;
    }
  }
  EXPECT_THAT(Everything(), UnorderedElementsAre("kit", "link"));
  EXPECT_EQ(ReadFileOrDie(out_), "a file");
}

TEST_F(KitFolderTest, WithForceItsFilesAreReplacedAndOthersStay) {
  ASSERT_OK(WriteKitFolder(out_, files_, true)) << "where nothing is, too";
  directory_.Write("kit/server.key", "not of the kit");
  directory_.Write("kit/README", "changed");
  ASSERT_OK(WriteKitFolder(out_, {{"README", "new"}, {"c/d", "more"}}, true));
  EXPECT_THAT(Everything(),
              UnorderedElementsAre("kit", "kit/README", "kit/a", "kit/a/b", "kit/a/b/secret",
                                   "kit/a/run", "kit/server.key", "kit/c", "kit/c/d"));
  EXPECT_EQ(ReadFileOrDie(directory_.File("kit/README")), "new");
  EXPECT_EQ(ReadFileOrDie(directory_.File("kit/server.key")), "not of the kit");
}

TEST_F(KitFolderTest, NothingIsHalfWritten) {
  EXPECT_THAT(WriteKitFolder(directory_.File("none/kit"), files_, false),
              FailsWith(ErrorReason::kFieldInvalid, "--out"));
  // The second file cannot be: the first is in its way.
  EXPECT_THAT(WriteKitFolder(out_, {{"a", "1"}, {"a/b", "2"}}, false),
              FailsWith(ErrorReason::kFieldInvalid, "--out"));
  EXPECT_THAT(Everything(), testing::IsEmpty());

  std::filesystem::create_directories(directory_.File("kit/README"));
  directory_.Write("kit/x", "old");
  EXPECT_THAT(WriteKitFolder(out_, {{"x", "new"}, {"y/z", "new"}, {"README", "new"}}, true),
              FailsWith(ErrorReason::kFieldInvalid, "--out"));
  EXPECT_EQ(ReadFileOrDie(directory_.File("kit/x")), "old");
  EXPECT_THAT(Everything(), UnorderedElementsAre("kit", "kit/README", "kit/x"));
}

TEST_F(KitFolderTest, ItMustHaveAName) {
  for (const char* name : {"", "/"}) {
    EXPECT_THAT(WriteKitFolder(name, files_, true), FailsWith(ErrorReason::kFieldInvalid, "--out"))
        << name;
  }
}

}  // namespace
}  // namespace hourglass::gateways
