#include "tests/support/document_shell.h"

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace hourglass {
namespace {

constexpr char kPrograms[] =
    "set -eu\n"
    "hourglass() { \"$HOURGLASS\" \"$@\"; }\n"
    "hourglassd() { \"$HOURGLASSD\" \"$@\"; }\n";

std::string Variable(const char* name, const char* program) {
  return absl::StrCat(name, "=", std::filesystem::absolute(program).string());
}

}  // namespace

std::string DocumentShell::Here(const std::string& text) const {
  return absl::StrReplaceAll(text, places_);
}

CommandResult DocumentShell::RunStretch(const std::string& lines) const {
  std::vector<std::string> environment = environment_;
  environment.push_back(Variable("HOURGLASS", "tools/hourglass/hourglass"));
  environment.push_back(Variable("HOURGLASSD", "tools/hourglassd/hourglassd"));
  return RunCommand({"bash", "-c", absl::StrCat(kPrograms, Here(lines))}, "", environment);
}

CommandResult DocumentShell::Run(const std::string& lines) const {
  CommandResult all = {0, ""};
  std::string stretch;
  const auto run = [&] {
    if (absl::StripAsciiWhitespace(stretch).empty()) return;
    const CommandResult result = RunStretch(stretch);
    all.exit_code = result.exit_code;
    all.output += result.output;
    stretch.clear();
  };
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    absl::string_view arguments = line;
    if (!absl::ConsumePrefix(&arguments, "systemctl ")) {
      absl::StrAppend(&stretch, line, "\n");
      continue;
    }
    run();
    if (all.exit_code != 0) return all;
    arguments = absl::StripAsciiWhitespace(arguments.substr(0, arguments.find('#')));
    if (systemctl_ != nullptr) systemctl_(std::string(arguments));
  }
  run();
  return all;
}

}  // namespace hourglass
