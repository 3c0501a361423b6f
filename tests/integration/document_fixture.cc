#include "tests/integration/document_fixture.h"

#include <filesystem>

#include "absl/strings/str_cat.h"

namespace hourglass {

void DocumentFixture::Configure(const std::string& more) {
  daemon_.Configure(absl::StrCat("{tokens: [\"", daemon_.token().Uri(), "\"]}"),
                    daemon_.data_directory(), more);
}

void DocumentFixture::WriteClientConfig(const std::string& name, const char* caller) {
  daemon_.directory().Write(name, daemon_.ConfigOf(caller));
}

void DocumentFixture::MakeTenant() const {
  Succeed(
      "hourglass --config cli.yaml tenants create contoso && hourglass --config cli.yaml "
      "roots create --tenant contoso --duration 1y --key-type ec-p256 --primary");
}

CommandResult DocumentFixture::Shell(const std::string& commands) const {
  const std::string tools = std::filesystem::absolute("tools");
  return RunCommand(
      {"bash", "-ec",
       absl::StrCat("PATH=", tools, ":", tools, "/hourglass:", tools, "/broker:$PATH\ncd ",
                    daemon_.directory().path(), "\n", commands)});
}

std::string DocumentFixture::Succeed(const std::string& commands) const {
  const CommandResult result = Shell(commands);
  EXPECT_EQ(result.exit_code, 0) << commands << "\n" << result.output;
  return result.output;
}

}  // namespace hourglass
