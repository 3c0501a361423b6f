// A folder for Unix sockets, whose paths have at most 107 octets: those of Bazel's temporary
// folders have more.
#ifndef HOURGLASS_TESTS_SUPPORT_SOCKET_DIRECTORY_H_
#define HOURGLASS_TESTS_SUPPORT_SOCKET_DIRECTORY_H_

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace hourglass {

// A new, empty folder below /tmp (mode 0700), removed when this object goes. Ends the process if it
// cannot be made.
class SocketDirectory {
 public:
  SocketDirectory() {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~SocketDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  SocketDirectory(const SocketDirectory&) = delete;
  SocketDirectory& operator=(const SocketDirectory&) = delete;

  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/hourglass.XXXXXX";
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SOCKET_DIRECTORY_H_
