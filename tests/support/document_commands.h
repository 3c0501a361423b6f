// The commands of a document, for tests that execute them.
#ifndef HOURGLASS_TESTS_SUPPORT_DOCUMENT_COMMANDS_H_
#define HOURGLASS_TESTS_SUPPORT_DOCUMENT_COMMANDS_H_

#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass {

// The fenced blocks of a Markdown file. A block that a test takes has a line `<!-- commands: NAME
// -->` before it, and an empty line between. Not thread-safe.
class DocumentCommands {
 public:
  // Reads the file; ends the process if it cannot be read. The test's BUILD rule must name it in
  // `data`.
  explicit DocumentCommands(absl::string_view file);

  // The lines of the block of this name, whatever its language. Where there is none, a command that
  // fails and says so. The block counts as taken.
  std::string Take(absl::string_view name);

  // The blocks that nobody has taken, in their order: the name, or the first line of one that has
  // none. Blocks of the language `text` are figures, and not among them.
  std::vector<std::string> NotTaken() const;

 private:
  struct Block {
    std::string name;
    std::string lines;
    bool is_figure = false;
  };

  std::vector<Block> blocks_;
  std::set<std::string> taken_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_DOCUMENT_COMMANDS_H_
