// docs/examples/bazel as a workspace of its own, which has nothing but Hourglass beside it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_replace.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::library {
namespace {

TEST(BazelExampleTest, TheExampleBuildsAsAWorkspaceOfItsOwn) {
  // The checkout itself, behind the links of the test's own folder.
  const std::filesystem::path example =
      std::filesystem::canonical("docs/examples/gateway_test.cc").parent_path() / "bazel";
  if (!std::filesystem::exists(example / "WORKSPACE")) {
    GTEST_SKIP() << "the checkout is out of this test's sight";
  }
  const TemporaryDirectory directory;
  const std::string copy = directory.File("bazel"), user_root = directory.File("user_root");
  std::filesystem::create_directory(copy);
  // By name: beside them may be what a build of the example has left.
  for (const char* file : {".bazelrc", "BUILD.bazel", "WORKSPACE", "gateway_test.cc"}) {
    std::ofstream(copy + "/" + file) << ReadFileOrDie((example / file).string());
  }
  const std::string workspace = ReadFileOrDie(copy + "/WORKSPACE");
  const std::string moved = absl::StrReplaceAll(
      workspace,
      {{"\"../../..\"", "\"" + (example / "../../..").lexically_normal().string() + "\""}});
  ASSERT_NE(moved, workspace);
  std::ofstream(copy + "/WORKSPACE") << moved;

  // In the sandbox of this test there is no room for another.
  const std::string bazel = "cd " + copy +
                            " && bazel --host_jvm_args=-Xmx700m --output_user_root=" + user_root +
                            " --max_idle_secs=5 ";
  const char* cache = std::getenv("HOURGLASS_DISK_CACHE");
  const CommandResult tested = RunCommand(
      {"sh", "-c",
       bazel + "test --jobs=2 --spawn_strategy=local --test_output=all " +
           (cache == nullptr ? "" : "--disk_cache=" + std::string(cache)) + " //:gateway_test"},
      "", {"HOME=" + directory.path(), "USER=test"});
  EXPECT_EQ(tested.exit_code, 0) << tested.output;
  EXPECT_THAT(tested.output, testing::HasSubstr("[  PASSED  ] 6 tests."));
  RunCommand({"sh", "-c", bazel + "shutdown; chmod -R u+w " + user_root});
}

}  // namespace
}  // namespace hourglass::library
