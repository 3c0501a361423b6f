// Runs the commands of documents on a test's machine.
#ifndef HOURGLASS_TESTS_SUPPORT_DOCUMENT_SHELL_H_
#define HOURGLASS_TESTS_SUPPORT_DOCUMENT_SHELL_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"

namespace hourglass {

// What a document calls by names of a real machine stands elsewhere here: paths, hosts, accounts,
// and the service that systemd would run. `hourglass` and `hourglassd` are those of the test, where
// its BUILD rule names them in `data`. Not thread-safe.
class DocumentShell {
 public:
  // What follows `systemctl` in a line that begins with it, without the comment.
  using Systemctl = std::function<void(const std::string& arguments)>;

  // Without `systemctl` these lines do nothing.
  explicit DocumentShell(Systemctl systemctl = nullptr) : systemctl_(std::move(systemctl)) {}

  // What documents call `theirs` is `ours` here. Of several that begin at one place the longest
  // counts.
  void Put(const std::string& theirs, const std::string& ours) { places_[theirs] = ours; }
  // For commands: `NAME=value`.
  void Set(const std::string& variable) { environment_.push_back(variable); }

  // The text with what is here.
  std::string Here(const std::string& text) const;

  // Runs lines as they stand in a document, by bash, each stretch between lines of systemctl by one
  // of its own, until a command fails. The output is of all of them.
  CommandResult Run(const std::string& lines) const;

 private:
  CommandResult RunStretch(const std::string& lines) const;

  const Systemctl systemctl_;
  std::map<std::string, std::string> places_;
  std::vector<std::string> environment_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_DOCUMENT_SHELL_H_
