// That tools/mutate tells apart what tests notice, what they do not, and what does not compile.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

// A repository of one file, and a `bazel` that ends as it is told.
class MutateTest : public testing::Test {
 protected:
  MutateTest() {
    std::filesystem::create_directories(directory_.File("tools"));
    std::filesystem::create_directories(directory_.File("bin"));
    std::filesystem::copy_file("tools/mutate", directory_.File("tools/mutate"));
    directory_.Write("bin/bazel",
                     "#!/bin/sh\n"
                     "case $1 in build) exit $BUILD_CODE ;; test) exit $TEST_CODE ;; esac\n"
                     "exit 9\n");
    std::filesystem::permissions(directory_.File("bin/bazel"), std::filesystem::perms::owner_all);
    directory_.Write("a.cc", kSource);
    Run("git init -q . && git add a.cc && git -c user.name=a -c user.email=a@a.example commit -qm "
        "a");
  }

  CommandResult Run(const std::string& command) {
    return RunCommand({"sh", "-c", "cd \"$0\" && " + command, directory_.path()});
  }
  CommandResult Mutate(const std::string& build_code, const std::string& test_code) {
    return Run("PATH=$PWD/bin:$PATH BUILD_CODE=" + build_code + " TEST_CODE=" + test_code +
               " tools/mutate --each 1 //a -- a.cc");
  }
  std::string Source() { return ReadFileOrDie(directory_.File("a.cc")); }

  static constexpr char kSource[] = "bool F(int a, int b) { return a == b; }\n";
  const TemporaryDirectory directory_;
};

TEST_F(MutateTest, AFailingTestHasNoticed) {
  for (const char* code : {"1", "3"}) {
    const CommandResult result = Mutate("0", code);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(result.output, "1 of 1 were noticed\n");
    EXPECT_EQ(Source(), kSource) << "it is put back";
  }
}

TEST_F(MutateTest, TestsThatPassHaveNot) {
  const CommandResult result = Mutate("0", "0");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("MISSED  a.cc:1\n"));
  EXPECT_THAT(result.output, HasSubstr("+ bool F(int a, int b) { return a != b; }\n"));
  EXPECT_THAT(result.output, EndsWith("0 of 1 were noticed\n"));
  EXPECT_EQ(Source(), kSource);
}

TEST_F(MutateTest, WhatDoesNotCompileIsLeftOut) {
  const CommandResult result = Mutate("1", "3");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(result.output, "0 of 0 were noticed\n");
  EXPECT_EQ(Source(), kSource);
}

TEST_F(MutateTest, BazelThatCannotRunIsNoResult) {
  const CommandResult result = Mutate("0", "37");
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("bazel ended with 37"));
  EXPECT_EQ(Source(), kSource);
}

}  // namespace
}  // namespace hourglass
