#include "hsm/software_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "hsm/key_uri.h"
#include "hsm/software_key.h"

namespace hourglass::hsm {
namespace {

// An RSA-4096 key takes 3272 octets of PEM.
constexpr size_t kLargestFile = 16384;

std::string FieldOfKey(absl::string_view name) { return absl::StrCat("software:", name); }

// errno is read before anything else can change it.
absl::Status Unavailable(absl::string_view name, absl::string_view action) {
  const int cause = errno;
  return Error(ErrorReason::kKeyUnavailable, FieldOfKey(name),
               absl::StrCat("cannot ", action, ": ", strerror(cause)));
}

absl::Status FolderInvalid(absl::string_view message) {
  return Error(ErrorReason::kConfigurationInvalid, "keys.software_directory", message);
}

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

// Wiped when it goes.
class SecretText {
 public:
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  ~SecretText() { OPENSSL_cleanse(text_.data(), text_.size()); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  const std::string& get() const { return text_; }
  std::string& get() { return text_; }

 private:
  std::string text_;
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

}  // namespace

absl::StatusOr<SoftwareFolder> SoftwareFolder::Create(absl::string_view path) {
  if (!absl::StartsWith(path, "/")) return FolderInvalid("must be an absolute path");
  // A folder is compared with the one in a key's URI.
  const std::string folder(path == "/" ? path : absl::StripSuffix(path, "/"));
  struct stat facts = {};
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return FolderInvalid(absl::StrCat("cannot make ", folder, ": ", strerror(errno)));
  }
  if (stat(folder.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    return FolderInvalid(absl::StrCat(folder, " is no folder"));
  }
  if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return FolderInvalid(absl::StrCat(folder, " may be written to by others than its owner"));
  }
  return SoftwareFolder(folder);
}

std::string SoftwareFolder::FileOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name, ".pem");
}

absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareFolder::Generate(absl::string_view name,
                                                                     KeyType type) const {
  if (!IsKeyName(name)) return Error(ErrorReason::kKeyUriInvalid, "key", "is no key name");
  const std::string path = FileOf(name);
  const auto exists = [&] {
    return Error(ErrorReason::kKeyExists, FieldOfKey(name), "a key of this name exists");
  };
  if (access(path.c_str(), F_OK) == 0) return exists();
  ASSIGN_OR_RETURN(std::string generated, GenerateSoftwareKeyPem(type));
  const SecretText pem(std::move(generated));
  ASSIGN_OR_RETURN(std::unique_ptr<SigningKey> key, SoftwareKeyFromPem(pem.get()));

  // A key's name never begins with a dot. mkstemp makes a new file of mode 0600; link, unlike
  // rename, never replaces.
  std::string draft = absl::StrCat(path_, "/.new-key.XXXXXX");
  const File file(mkostemp(draft.data(), O_CLOEXEC));
  if (file.get() < 0) return Unavailable(name, "make its file");
  const bool written = WriteAll(file.get(), pem.get());
  const bool linked = written && link(draft.c_str(), path.c_str()) == 0;
  const int cause = errno;
  unlink(draft.c_str());
  errno = cause;
  if (!written) return Unavailable(name, "write its file");
  if (!linked && cause == EEXIST) return exists();
  if (!linked) return Unavailable(name, "name its file");
  if (SyncFolder(path_)) return key;
  const absl::Status status = Unavailable(name, "flush its folder");
  unlink(path.c_str());
  return status;
}

absl::StatusOr<std::unique_ptr<SigningKey>> SoftwareFolder::Open(absl::string_view name) const {
  if (!IsKeyName(name)) return Error(ErrorReason::kKeyUriInvalid, "key", "is no key name");
  // Without O_NONBLOCK a pipe would block here.
  const File file(open(FileOf(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) {
    return Error(ErrorReason::kKeyNotFound, FieldOfKey(name), "no such key");
  }
  struct stat facts = {};
  const bool symbolic_link = file.get() < 0 && errno == ELOOP;
  if (!symbolic_link && (file.get() < 0 || fstat(file.get(), &facts) != 0)) {
    return Unavailable(name, "open its file");
  }
  if (!S_ISREG(facts.st_mode) || (facts.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error(ErrorReason::kKeyUnfit, FieldOfKey(name),
                 "its file must be a regular file of mode 0600");
  }
  SecretText pem{std::string(kLargestFile, '\0')};
  if (!ReadAll(file.get(), pem.get())) return Unavailable(name, "read its file");
  absl::StatusOr<std::unique_ptr<SigningKey>> key = SoftwareKeyFromPem(pem.get());
  if (!key.ok()) {
    return Error(ReasonOf(key.status()), FieldOfKey(name), key.status().message());
  }
  return key;
}

absl::StatusOr<std::vector<std::string>> SoftwareFolder::Names() const {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(path_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string file = entry->path().filename();
    absl::string_view name = file;
    if (absl::ConsumeSuffix(&name, ".pem") && IsKeyName(name)) names.emplace_back(name);
  }
  if (error) {
    return Error(ErrorReason::kKeyUnavailable,
                 "software:", absl::StrCat("cannot list its folder: ", error.message()));
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status SoftwareFolder::Destroy(absl::string_view name) const {
  if (!IsKeyName(name)) return Error(ErrorReason::kKeyUriInvalid, "key", "is no key name");
  if (unlink(FileOf(name).c_str()) != 0) {
    if (errno == ENOENT) {
      return Error(ErrorReason::kKeyNotFound, FieldOfKey(name), "no such key");
    }
    return Unavailable(name, "remove its file");
  }
  return SyncFolder(path_) ? absl::OkStatus() : Unavailable(name, "flush its folder");
}

}  // namespace hourglass::hsm
