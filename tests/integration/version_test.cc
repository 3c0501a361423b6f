#include "tools/version/version.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/subprocess.h"

namespace hourglass {
namespace {

TEST(VersionTest, EveryProgramSaysIt) {
  for (const std::string program :
       {"bench/hourglass-bench", "broker/hourglass-broker", "bundle/hourglass-bundle",
        "compliance/hourglass-compliance", "gatewayd/hourglass-gatewayd", "hourglass/hourglass",
        "hourglassd/hourglassd", "keyholder/hourglass-keyholder"}) {
    const CommandResult said = RunCommand({"tools/" + program, "--version"});
    EXPECT_EQ(said.exit_code, 0) << said.output;
    EXPECT_EQ(said.output, VersionLine(program.substr(program.find('/') + 1)) + "\n");
  }
}

TEST(VersionTest, IsOneOfSemanticVersioning) {
  EXPECT_EQ(std::string(kVersion).find_first_not_of("0123456789."), std::string::npos);
}

}  // namespace
}  // namespace hourglass
