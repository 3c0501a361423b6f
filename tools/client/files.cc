#include "tools/client/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"

namespace hourglass::client {
namespace {

constexpr std::size_t kMaxFileSize = 16 << 20;

absl::Status FileError(absl::string_view action, const std::string& path) {
  const std::string message = absl::StrCat("cannot ", action, " ", path, ": ", strerror(errno));
  if (errno == ENOENT) return absl::NotFoundError(message);
  return Error(ErrorReason::kFieldInvalid, "", message);
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  // Some file systems say only now that they could not write.
  bool Close() { return close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

bool WriteAll(int fd, absl::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Renaming and removing are durable only once the folder is.
absl::Status SyncFolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  FileDescriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || fsync(fd.get()) != 0) return FileError("sync", folder);
  return absl::OkStatus();
}

std::string StagedName(const std::string& path) { return path + ".new"; }

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  FileDescriptor fd(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return FileError("read", path);
  std::string content;
  char buffer[65536];
  for (;;) {
    const ssize_t size = read(fd.get(), buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return FileError("read", path);
    if (size == 0) return content;
    content.append(buffer, static_cast<std::size_t>(size));
    if (content.size() > kMaxFileSize) {
      return Error(ErrorReason::kFieldInvalid, "", absl::StrCat(path, " is larger than 16 MiB"));
    }
  }
}

absl::StatusOr<StagedFile> StagedFile::Write(const std::string& path, absl::string_view content,
                                             mode_t mode) {
  const std::string staged = StagedName(path);
  if (unlink(staged.c_str()) != 0 && errno != ENOENT) return FileError("replace", staged);
  FileDescriptor fd(
      open(staged.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (fd.get() < 0) return FileError("write", staged);
  StagedFile file(path);
  // The umask may only have taken bits away; the mode is a promise.
  if (fchmod(fd.get(), mode) != 0 || !WriteAll(fd.get(), content) || fsync(fd.get()) != 0 ||
      !fd.Close()) {
    return FileError("write", staged);
  }
  return file;
}

StagedFile::StagedFile(StagedFile&& other) noexcept : path_(std::exchange(other.path_, "")) {}

StagedFile& StagedFile::operator=(StagedFile&& other) noexcept {
  if (this != &other) {
    Abandon();
    path_ = std::exchange(other.path_, "");
  }
  return *this;
}

StagedFile::~StagedFile() { Abandon(); }

void StagedFile::Abandon() {
  if (!path_.empty()) unlink(StagedName(path_).c_str());
}

absl::Status StagedFile::Rename() {
  if (rename(StagedName(path_).c_str(), path_.c_str()) != 0) return FileError("replace", path_);
  path_.clear();
  return absl::OkStatus();
}

absl::Status CommitTogether(std::vector<StagedFile>& files) {
  std::vector<std::string> paths;
  for (const StagedFile& file : files) paths.push_back(file.path());
  for (StagedFile& file : files) RETURN_IF_ERROR(file.Rename());
  for (const std::string& path : paths) RETURN_IF_ERROR(SyncFolderOf(path));
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, absl::string_view content, mode_t mode) {
  std::vector<StagedFile> files;
  ASSIGN_OR_RETURN(StagedFile file, StagedFile::Write(path, content, mode));
  files.push_back(std::move(file));
  return CommitTogether(files);
}

absl::StatusOr<bool> RemoveFile(const std::string& path) {
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    return FileError("remove", path);
  }
  RETURN_IF_ERROR(SyncFolderOf(path));
  return true;
}

}  // namespace hourglass::client
