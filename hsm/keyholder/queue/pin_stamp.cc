#include "hsm/keyholder/queue/pin_stamp.h"

#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace hourglass::hsm {

PinStamp StampOf(const std::optional<PinSource>& source) {
  if (!source.has_value() || source->kind == PinSource::Kind::kEnvironment) return {};
  std::string path = source->name;
  if (source->kind == PinSource::Kind::kCredential) {
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr) return {};
    path = absl::StrCat(directory, "/", source->name);
  }
  struct stat file = {};
  if (stat(path.c_str(), &file) != 0) return {};
  return {file.st_dev, file.st_ino, file.st_size,
          static_cast<std::int64_t>(file.st_mtim.tv_sec) * 1'000'000'000 + file.st_mtim.tv_nsec};
}

}  // namespace hourglass::hsm
