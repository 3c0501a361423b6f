#include "issuance/yaml/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "issuance/yaml/document.h"

namespace hourglass::yaml {

absl::StatusOr<std::string> ReadDocument(absl::string_view file_name) {
  const auto message = [&](absl::string_view why) {
    return absl::StrCat(file_name, ":1: cannot be read: ", why);
  };
  const auto fails = [&] { return absl::UnavailableError(message(std::strerror(errno))); };
  const auto is_wrong = [&](absl::string_view why) {
    return Error(ErrorReason::kConfigurationInvalid, "", message(why));
  };
  const std::string path(file_name);
  // Not to wait for the writer of a named pipe.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return fails();
  const absl::Cleanup closer = [file] { close(file); };
  struct stat about = {};
  if (fstat(file, &about) != 0) return fails();
  if (!S_ISREG(about.st_mode)) return is_wrong("not a regular file");
  std::string text;
  char buffer[16384];
  while (true) {
    const ssize_t count = read(file, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fails();
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > kMaxDocumentSize) {
      return is_wrong(absl::StrCat("larger than ", kMaxDocumentSize, " octets"));
    }
  }
}

absl::StatusOr<std::string> ReadConfigurationFile(absl::string_view file_name) {
  absl::StatusOr<std::string> text = ReadDocument(file_name);
  if (text.ok() || ReasonOf(text.status()) == ErrorReason::kConfigurationInvalid) return text;
  return Error(ErrorReason::kConfigurationInvalid, "", text.status().message());
}

}  // namespace hourglass::yaml
