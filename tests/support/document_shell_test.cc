#include "tests/support/document_shell.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hourglass {
namespace {

TEST(DocumentShellTest, RunsWhatStandsElsewhereHereUntilOneFails) {
  DocumentShell shell;
  shell.Put("/etc/hourglass", "here");
  shell.Put("/etc/hourglass/secret", "elsewhere");
  shell.Set("COLOUR=blue");
  CommandResult result =
      shell.Run("echo /etc/hourglass /etc/hourglass/secret $COLOUR\n\ncat <<E\nx\nE\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "here elsewhere blue\nx\n");
  result = shell.Run("echo one\n(exit 3)\necho two\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output, "one\n");
}

TEST(DocumentShellTest, TheServiceIsTheTests) {
  std::vector<std::string> asked;
  DocumentShell shell([&](const std::string& arguments) { asked.push_back(arguments); });
  EXPECT_EQ(shell
                .Run("systemctl stop hourglassd   # on every replica\necho one\n"
                     "systemctl start hourglassd\necho two\n")
                .output,
            "one\ntwo\n");
  EXPECT_THAT(asked, testing::ElementsAre("stop hourglassd", "start hourglassd"));
  EXPECT_EQ(shell.Run("false\nsystemctl start hourglassd\n").exit_code, 1);
  EXPECT_EQ(asked.size(), 2u);
  EXPECT_EQ(DocumentShell().Run("systemctl stop hourglassd\n").exit_code, 0);
}

}  // namespace
}  // namespace hourglass
