#include "tools/client/usage.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "tools/client/failure.h"
#include "tools/client/wording.h"
#include "tools/version/version.h"

namespace hourglass::client {
namespace {

class HelpLayout final : public CLI::Formatter {
 public:
  // What may be given by place or by name is shown by place only.
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override {
    if (!is_positional) {
      options.erase(
          std::remove_if(options.begin(), options.end(),
                         [](const CLI::Option* option) { return option->get_positional(); }),
          options.end());
    }
    return options.empty() ? "" : CLI::Formatter::make_group(group, is_positional, options);
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string value = option->get_type_size() == 0 ? "" : " " + option->get_type_name();
    return value + (option->get_required() ? " (required)" : "");
  }
};

// The subcommand that the arguments lead to, and the names of those above it.
std::pair<const CLI::App*, std::string> Deepest(const CLI::App& app) {
  const CLI::App* deepest = &app;
  std::string above;
  while (!deepest->get_subcommands().empty()) {
    above += (above.empty() ? "" : " ") + deepest->get_name();
    deepest = deepest->get_subcommands().front();
  }
  return {deepest, above};
}

// CLI11 says of a misspelt subcommand only that one is required.
std::string Mistake(const CLI::App& app, const CLI::ParseError& error) {
  const auto [command, above] = Deepest(app);
  if (command->get_require_subcommand_min() == 0 ||
      dynamic_cast<const CLI::RequiredError*>(&error) == nullptr ||
      !absl::StartsWith(error.what(), "A subcommand")) {
    return error.what();
  }
  const std::string name = (above.empty() ? "" : above + " ") + command->get_name();
  const std::vector<std::string> unknown = app.remaining(true);
  return unknown.empty() || absl::StartsWith(unknown.front(), "-")
             ? "a subcommand of " + name + " is required"
             : "`" + unknown.front() + "` is no subcommand of " + name;
}

}  // namespace

void NameProgram(CLI::App& app, const std::string& name, const std::string& description) {
  app.name(name);
  app.description(description);
  app.formatter(std::make_shared<HelpLayout>());
  app.get_formatter()->column_width(34);
  app.set_version_flag("--version", VersionLine(name), "Print the version and exit");
}

void OneOf(CLI::Option& option, absl::Span<const absl::string_view> words) {
  const std::vector<std::string> choices(words.begin(), words.end());
  option.check(CLI::Validator(
      [choices](std::string& word) {
        if (std::find(choices.begin(), choices.end(), word) != choices.end()) return std::string();
        return "`" + word + "` is none of " + absl::StrJoin(choices, ", ");
      },
      ""));
  option.type_name(absl::StrJoin(choices, "|"));
}

std::optional<int> ParseArguments(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    const auto [command, above] = Deepest(app);
    std::cout << command->help(above);
    return kExitOk;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << "\n";
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    const auto [command, above] = Deepest(app);
    std::cerr << app.get_name() << ": " << Printable(Mistake(app, error)) << "\n\n"
              << command->help(above);
    return kExitUsage;
  }
}

}  // namespace hourglass::client
