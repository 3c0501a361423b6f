// Folders and files that go with the test.
#ifndef HOURGLASS_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H_
#define HOURGLASS_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H_

#include <string>

#include "absl/strings/string_view.h"

namespace hourglass {

// A new, empty folder (mode 0700) that is removed with all it holds when this object goes. Ends the
// process if it cannot be made.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  // Absolute, without a trailing slash.
  const std::string& path() const { return path_; }

  // `path()/name`.
  std::string File(absl::string_view name) const;

  // Writes `content` to `path()/name` and returns that path.
  std::string Write(absl::string_view name, absl::string_view content) const;

 private:
  std::string path_;
};

// The whole file; ends the process if it cannot be read.
std::string ReadFileOrDie(absl::string_view path);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_TEMPORARY_DIRECTORY_H_
