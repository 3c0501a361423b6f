// What docs/scaling.md shows is what its commands print.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/support/document_commands.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kPage[] = "docs/scaling.md";

// As if built in the folder that the commands are run in.
class ScalingDocumentTest : public testing::Test {
 protected:
  ScalingDocumentTest() {
    std::filesystem::create_directories(files_.File("bazel-bin/tools/scaling"));
    std::filesystem::create_symlink(std::filesystem::absolute("tools/scaling/simulate"),
                                    files_.File("bazel-bin/tools/scaling/simulate"));
  }

  CommandResult Run(const std::string& command) {
    return RunCommand({"sh", "-c", absl::StrCat("cd '", files_.path(), "'\n", command)});
  }

  const std::string page_ = ReadFileOrDie(kPage);
  DocumentCommands commands_{kPage};
  TemporaryDirectory files_;
};

TEST_F(ScalingDocumentTest, EachTableIsWhatTheCommandAboveItPrints) {
  for (const char* name : {"fleet", "cell", "commits", "hsm", "standby", "measured"}) {
    const std::string command = commands_.Take(name);
    const CommandResult result = Run(command);
    ASSERT_EQ(result.exit_code, 0) << name << ": " << result.output;
    EXPECT_THAT(page_, HasSubstr(absl::StrCat(command, "```\n\n", result.output, "\n")))
        << "docs/scaling.md has another table after `" << name << "`";
  }
  EXPECT_THAT(commands_.Take("build"), HasSubstr("//tools/scaling:simulate\n"));
  EXPECT_THAT(commands_.NotTaken(), IsEmpty()) << "commands that no test has run";
}

TEST_F(ScalingDocumentTest, EachOptionIsDescribed) {
  const CommandResult result = Run("bazel-bin/tools/scaling/simulate --help");
  ASSERT_EQ(result.exit_code, 0);
  for (const char* option : {"--devices", "--replicas", "--commits", "--hsm", "--disk"}) {
    EXPECT_THAT(result.output, HasSubstr(option));
  }
}

TEST_F(ScalingDocumentTest, WhatIsNoNumberIsRefused) {
  for (const char* wrong : {"--devices many", "--replicas 0", "--fill 2", "--show everything"}) {
    const CommandResult result =
        Run(absl::StrCat("bazel-bin/tools/scaling/simulate --seconds 0.1 ", wrong));
    EXPECT_EQ(result.exit_code, 2) << wrong << ": " << result.output;
  }
  EXPECT_EQ(Run("bazel-bin/tools/scaling/simulate --seconds 0.1 --devices 1000").exit_code, 0);
}

}  // namespace
}  // namespace hourglass
