#include "tests/support/document_commands.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

// The name in `<!-- commands: NAME -->`; empty for any other line.
std::string NameIn(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, "<!-- commands: ")) return "";
  if (!absl::ConsumeSuffix(&line, " -->")) return "";
  return std::string(line);
}

}  // namespace

DocumentCommands::DocumentCommands(absl::string_view file) {
  const std::string document = ReadFileOrDie(file);
  std::string name;
  bool inside = false;
  for (const absl::string_view line : absl::StrSplit(document, '\n')) {
    // In a list a fence is indented.
    absl::string_view fence = absl::StripLeadingAsciiWhitespace(line);
    if (absl::ConsumePrefix(&fence, "```")) {
      if (!inside) blocks_.push_back({name, "", fence == "text"});
      inside = !inside;
      name.clear();
    } else if (inside) {
      absl::StrAppend(&blocks_.back().lines, line, "\n");
    } else if (!line.empty()) {
      name = NameIn(line);
    }
  }
}

std::string DocumentCommands::Take(absl::string_view name) {
  taken_.emplace(name);
  for (const Block& block : blocks_) {
    if (block.name == name) return block.lines;
  }
  return absl::StrCat("echo 'no block is named: ", name, "'; exit 99\n");
}

std::vector<std::string> DocumentCommands::NotTaken() const {
  std::vector<std::string> left;
  for (const Block& block : blocks_) {
    if (block.is_figure || taken_.contains(block.name)) continue;
    left.push_back(block.name.empty() ? block.lines.substr(0, block.lines.find('\n')) : block.name);
  }
  return left;
}

}  // namespace hourglass
