// What the programs' helps have in common.
#ifndef HOURGLASS_TOOLS_CLIENT_USAGE_H_
#define HOURGLASS_TOOLS_CLIENT_USAGE_H_

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hourglass::client {

// Gives the program its name, `--version` and the layout of its help. To be called before
// subcommands are added.
void NameProgram(CLI::App& app, const std::string& name, const std::string& description);

// Lets `option` be one of `words` only, and says so in the help.
void OneOf(CLI::Option& option, absl::Span<const absl::string_view> words);

// Parses the arguments into what `app` was described with. Returns the exit code where the program
// is to end: help or the version was asked for and is printed (0), or the usage is wrong and the
// mistake is on standard error with the help of the subcommand it was made in (2). Lets none of
// CLI11's exceptions out, and no others come from callbacks.
std::optional<int> ParseArguments(CLI::App& app, int argc, char** argv);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_USAGE_H_
