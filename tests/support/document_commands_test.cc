#include "tests/support/document_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kDocument[] =
    "# Title\n\n```text\na ─▶ b\n```\n\n<!-- commands: greet -->\n\n```sh\necho hello\necho you\n"
    "```\n\n<!-- commands: of another paragraph -->\n\nWords.\n\n```yaml\na: 1\nb: 2\n```\n\n"
    "- in a list\n\n  ```sh\n  echo indented\n  ```\n";

class DocumentCommandsTest : public testing::Test {
 protected:
  const TemporaryDirectory directory_;
  DocumentCommands document_{directory_.Write("document.md", kDocument)};
};

TEST_F(DocumentCommandsTest, ABlockIsFoundByItsName) {
  EXPECT_EQ(document_.Take("greet"), "echo hello\necho you\n");
}

TEST_F(DocumentCommandsTest, WhatIsNotThereFailsAsACommand) {
  for (const char* name : {"leave", "of another paragraph"}) {
    const CommandResult result = RunCommand({"sh", "-c", document_.Take(name)});
    EXPECT_EQ(result.exit_code, 99);
    EXPECT_THAT(result.output, HasSubstr(name));
  }
}

TEST_F(DocumentCommandsTest, BlocksThatNobodyTookAreNamedAndFiguresAreNot) {
  EXPECT_THAT(document_.NotTaken(), ElementsAre("greet", "a: 1", "  echo indented"));
  document_.Take("greet");
  EXPECT_THAT(document_.NotTaken(), ElementsAre("a: 1", "  echo indented"));
}

TEST_F(DocumentCommandsTest, AFileWithoutBlocksLeavesNone) {
  EXPECT_THAT(DocumentCommands(directory_.Write("other.md", "Words.\n")).NotTaken(), IsEmpty());
}

}  // namespace
}  // namespace hourglass
