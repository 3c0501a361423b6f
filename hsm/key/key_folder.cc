#include "hsm/key/key_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_uri.h"

namespace hourglass::hsm {
namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  const int descriptor_;
};

bool WriteAll(int file, absl::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(file, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(file) == 0;
}

// Fills `content` to its size or the file's end, and cuts it there.
bool ReadAll(int file, std::string& content) {
  size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(file, content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    size += static_cast<size_t>(got);
  }
  content.resize(size);
  return true;
}

bool SyncFolder(const std::string& path) {
  const File folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.get() >= 0 && fsync(folder.get()) == 0;
}

// Gives what root wrote to the owner of `model`.
bool ShareOwner(int file, const std::string& model) {
  struct stat facts = {};
  if (geteuid() != 0) return true;
  return stat(model.c_str(), &facts) == 0 && fchown(file, facts.st_uid, facts.st_gid) == 0;
}

absl::Status CheckName(absl::string_view name) {
  if (IsKeyName(name)) return absl::OkStatus();
  return Error(ErrorReason::kKeyUriInvalid, "key_uri", "is no key name");
}

}  // namespace

absl::StatusOr<KeyFolder> KeyFolder::Create(absl::string_view path, Naming naming) {
  const auto invalid = [&](absl::string_view message) {
    return Error(ErrorReason::kConfigurationInvalid, naming.configuration_field, message);
  };
  if (!absl::StartsWith(path, "/")) return invalid("must be an absolute path");
  // A folder is compared with the one in a key's URI.
  const std::string folder(path == "/" ? path : absl::StripSuffix(path, "/"));
  struct stat facts = {};
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return invalid(absl::StrCat("cannot make ", folder, ": ", strerror(errno)));
  }
  if (stat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    return invalid(absl::StrCat(folder, " is no folder"));
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return invalid(absl::StrCat(folder, " may be written to by others than its owner"));
  }
  if (facts.st_uid != geteuid() && facts.st_uid != 0 && geteuid() != 0) {
    return invalid(absl::StrCat(folder, " belongs to another user"));
  }
  return KeyFolder(folder, std::move(naming));
}

std::string KeyFolder::FieldOf(absl::string_view name) const {
  return absl::StrCat(naming_.field_prefix, name);
}

std::string KeyFolder::FileOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name, naming_.suffix);
}

// errno is read before anything else can change it.
absl::Status KeyFolder::Unavailable(absl::string_view name, absl::string_view action) const {
  const int cause = errno;
  return Error(ErrorReason::kKeyUnavailable, FieldOf(name),
               absl::StrCat("cannot ", action, ": ", strerror(cause)));
}

absl::Status KeyFolder::CheckFree(absl::string_view name) const {
  RETURN_IF_ERROR(CheckName(name));
  if (access(FileOf(name).c_str(), F_OK) != 0) return absl::OkStatus();
  return Error(ErrorReason::kKeyExists, FieldOf(name), "a key of this name exists");
}

absl::Status KeyFolder::Place(absl::string_view name, absl::string_view content,
                              bool replace) const {
  const std::string path = FileOf(name);
  // A key's name never begins with a dot. mkstemp makes a new file of mode 0600.
  std::string draft = absl::StrCat(path_, "/.new-key.XXXXXX");
  const File file(mkostemp(draft.data(), O_CLOEXEC));
  if (file.get() < 0) return Unavailable(name, "make its file");
  const bool written =
      ShareOwner(file.get(), replace ? path : path_) && WriteAll(file.get(), content);
  // link, unlike rename, never replaces.
  const bool placed = written && (replace ? rename(draft.c_str(), path.c_str())
                                          : link(draft.c_str(), path.c_str())) == 0;
  const int cause = errno;
  unlink(draft.c_str());
  errno = cause;
  if (!written) return Unavailable(name, "write its file");
  if (!placed && cause == EEXIST) {
    return Error(ErrorReason::kKeyExists, FieldOf(name), "a key of this name exists");
  }
  if (!placed) return Unavailable(name, "name its file");
  if (SyncFolder(path_)) return absl::OkStatus();
  const absl::Status status = Unavailable(name, "flush its folder");
  if (!replace) unlink(path.c_str());
  return status;
}

absl::Status KeyFolder::Write(absl::string_view name, absl::string_view content) const {
  RETURN_IF_ERROR(CheckName(name));
  return Place(name, content, false);
}

absl::Status KeyFolder::Replace(absl::string_view name, absl::string_view content) const {
  RETURN_IF_ERROR(CheckName(name));
  return Place(name, content, true);
}

absl::StatusOr<SecretText> KeyFolder::Read(absl::string_view name, std::size_t largest) const {
  RETURN_IF_ERROR(CheckName(name));
  // Without O_NONBLOCK a pipe would block here.
  const File file(open(FileOf(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) {
    return Error(ErrorReason::kKeyNotFound, FieldOf(name), "no such key");
  }
  struct stat facts = {};
  const bool symbolic_link = file.get() < 0 && errno == ELOOP;
  if (!symbolic_link && (file.get() < 0 || fstat(file.get(), &facts) != 0)) {
    return Unavailable(name, "open its file");
  }
  if (!S_ISREG(facts.st_mode) || (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error(ErrorReason::kKeyUnfit, FieldOf(name),
                 "its file must be a regular file of mode 0600");
  }
  SecretText content{std::string(largest + 1, '\0')};
  if (!ReadAll(file.get(), content.get())) return Unavailable(name, "read its file");
  if (content.get().size() <= largest) return content;
  return Error(ErrorReason::kKeyInvalid, FieldOf(name), "its file is too large");
}

absl::StatusOr<std::vector<std::string>> KeyFolder::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string file = entry->path().filename();
    absl::string_view name = file;
    if (absl::ConsumeSuffix(&name, naming_.suffix) && IsKeyName(name)) names.emplace_back(name);
  }
  if (error) {
    return Error(ErrorReason::kKeyUnavailable, naming_.field_prefix,
                 absl::StrCat("cannot list its folder: ", error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status KeyFolder::Remove(absl::string_view name) const {
  RETURN_IF_ERROR(CheckName(name));
  if (unlink(FileOf(name).c_str()) != 0) {
    if (errno == ENOENT) return Error(ErrorReason::kKeyNotFound, FieldOf(name), "no such key");
    return Unavailable(name, "remove its file");
  }
  return SyncFolder(path_) ? absl::OkStatus() : Unavailable(name, "flush its folder");
}

}  // namespace hourglass::hsm
