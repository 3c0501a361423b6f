#include "tools/client/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>
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

// What the links of `path` lead to, which need not be there yet.
absl::StatusOr<std::string> FollowLinks(std::string path) {
  // As many as the kernel follows (path_resolution(7)).
  for (int links = 0; links < 40; ++links) {
    std::error_code error;
    const std::filesystem::path target = std::filesystem::read_symlink(path, error);
    if (error) return path;
    path = (std::filesystem::path(path).parent_path() / target).string();
  }
  errno = ELOOP;
  return FileError("follow the links of", path);
}

// The regular file that is or may be at `path`. Whatever else is there serves somebody: a program
// that replaced a device or a pipe by a file would break more than its own output.
absl::StatusOr<std::string> RegularFileAt(const std::string& path) {
  struct stat there = {};
  if (stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return Error(ErrorReason::kFieldInvalid, "",
                 absl::StrCat("cannot replace ", path,
                              ": it is not a regular file; - is standard "
                              "output"));
  }
  return FollowLinks(path);
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  FileDescriptor fd(path == kStandardStream ? STDIN_FILENO
                                            : open(path.c_str(), O_RDONLY | O_CLOEXEC));
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
  if (path == kStandardStream) return StagedFile(path, std::string(content));
  ASSIGN_OR_RETURN(const std::string target, RegularFileAt(path));
  const std::string staged = StagedName(target);
  if (unlink(staged.c_str()) != 0 && errno != ENOENT) return FileError("replace", staged);
  FileDescriptor fd(
      open(staged.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (fd.get() < 0) return FileError("write", staged);
  StagedFile file(target, "");
  // The umask may only have taken bits away; the mode is a promise.
  if (fchmod(fd.get(), mode) != 0 || !WriteAll(fd.get(), content) || fsync(fd.get()) != 0 ||
      !fd.Close()) {
    return FileError("write", staged);
  }
  return file;
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : path_(std::exchange(other.path_, "")),
      text_(std::move(other.text_)),
      staged_(std::exchange(other.staged_, Holds::kNothing)) {}

StagedFile& StagedFile::operator=(StagedFile&& other) noexcept {
  if (this != &other) {
    Abandon();
    path_ = std::exchange(other.path_, "");
    text_ = std::move(other.text_);
    staged_ = std::exchange(other.staged_, Holds::kNothing);
  }
  return *this;
}

StagedFile::~StagedFile() { Abandon(); }

void StagedFile::Abandon() {
  if (staged_ == Holds::kNothing || path_ == kStandardStream) return;
  unlink(StagedName(path_).c_str());
  staged_ = Holds::kNothing;
}

absl::Status StagedFile::Place() {
  const std::string staged = StagedName(path_);
  // In one step, and the old content stays to be put back.
  if (renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) == 0) {
    staged_ = Holds::kOld;
    return absl::OkStatus();
  }
  if (errno == ENOENT) {
    if (renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) != 0) {
      return FileError("replace", path_);
    }
    staged_ = Holds::kNothing;
    return absl::OkStatus();
  }
  // A file system that cannot exchange two names.
  if (errno == EINVAL && rename(staged.c_str(), path_.c_str()) == 0) {
    staged_ = Holds::kNothing;
    old_is_lost_ = true;
    return absl::OkStatus();
  }
  return FileError("replace", path_);
}

bool StagedFile::PutBack() {
  if (old_is_lost_) return false;
  const std::string staged = StagedName(path_);
  const bool had_old = staged_ == Holds::kOld;
  const bool done = renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, staged.c_str(),
                              had_old ? RENAME_EXCHANGE : RENAME_NOREPLACE) == 0;
  // What could not be put back must not be thrown away with this object.
  staged_ = done ? Holds::kNew : Holds::kNothing;
  return done;
}

absl::Status CommitTogether(std::vector<StagedFile>& files) {
  std::vector<StagedFile*> in_place;
  for (StagedFile& file : files) {
    if (file.path() == kStandardStream) continue;
    const absl::Status placed = file.Place();
    if (placed.ok()) {
      in_place.push_back(&file);
      continue;
    }
    std::string stayed = "nothing was changed";
    for (auto before = in_place.rbegin(); before != in_place.rend(); ++before) {
      if (!(*before)->PutBack()) stayed = absl::StrCat("but ", (*before)->path(), " was replaced");
    }
    return Error(ErrorReason::kFieldInvalid, "", absl::StrCat(placed.message(), "; ", stayed));
  }
  for (StagedFile* file : in_place) {
    RETURN_IF_ERROR(SyncFolderOf(file->path()));
    file->Abandon();
  }
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (file->path() == kStandardStream && !WriteAll(STDOUT_FILENO, file->text_)) {
      return FileError("write", "standard output");
    }
  }
  return absl::OkStatus();
}

absl::Status ReplaceFile(const std::string& path, absl::string_view content, mode_t mode) {
  std::vector<StagedFile> files;
  ASSIGN_OR_RETURN(StagedFile file, StagedFile::Write(path, content, mode));
  files.push_back(std::move(file));
  return CommitTogether(files);
}

absl::StatusOr<bool> RemoveFile(const std::string& path) {
  if (path == kStandardStream) return false;
  ASSIGN_OR_RETURN(const std::string target, RegularFileAt(path));
  if (unlink(target.c_str()) != 0) {
    if (errno == ENOENT) return false;
    return FileError("remove", target);
  }
  RETURN_IF_ERROR(SyncFolderOf(target));
  return true;
}

}  // namespace hourglass::client
