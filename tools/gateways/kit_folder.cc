#include "tools/gateways/kit_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/client/files.h"

namespace hourglass::gateways {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0755;

absl::Status Refuse(absl::string_view why) {
  return Error(ErrorReason::kFieldInvalid, "--out", why);
}

absl::Status Failed(absl::string_view what, const fs::path& path, int error) {
  return Refuse(absl::StrCat("cannot ", what, " ", path.string(), ": ", strerror(error)));
}

mode_t ModeOf(const KitFile& file) {
  constexpr mode_t kSecret = 0600;
  constexpr mode_t kExecutable = 0755;
  constexpr mode_t kPublic = 0644;
  if (file.is_secret) return kSecret;
  return file.is_executable ? kExecutable : kPublic;
}

// The folders below `folder` that the files need, each before those in it.
std::set<fs::path> FoldersOf(const fs::path& folder, absl::Span<const KitFile> files) {
  std::set<fs::path> folders;
  for (const KitFile& file : files) {
    for (fs::path above = (folder / file.path).parent_path(); above != folder;
         above = above.parent_path()) {
      folders.insert(above);
    }
  }
  return folders;
}

absl::Status MakeFolder(const fs::path& folder) {
  // The umask may only have taken bits away.
  if (mkdir(folder.c_str(), kFolderMode) != 0 || chmod(folder.c_str(), kFolderMode) != 0) {
    return Failed("make", folder, errno);
  }
  return absl::OkStatus();
}

// Renaming is durable only once the folder is.
absl::Status Sync(const fs::path& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Failed("sync", folder, errno);
  const int error = fsync(descriptor) == 0 ? 0 : errno;
  close(descriptor);
  return error == 0 ? absl::OkStatus() : Failed("sync", folder, error);
}

absl::Status WriteFiles(const fs::path& folder, absl::Span<const KitFile> files) {
  std::vector<client::StagedFile> staged;
  for (const KitFile& file : files) {
    absl::StatusOr<client::StagedFile> one =
        client::StagedFile::Write((folder / file.path).string(), file.content, ModeOf(file));
    if (!one.ok()) return Refuse(one.status().message());
    staged.push_back(*std::move(one));
  }
  const absl::Status committed = client::CommitTogether(staged);
  return committed.ok() ? committed : Refuse(committed.message());
}

absl::Status FillNewFolder(const fs::path& folder, absl::Span<const KitFile> files) {
  for (const fs::path& below : FoldersOf(folder, files)) RETURN_IF_ERROR(MakeFolder(below));
  RETURN_IF_ERROR(WriteFiles(folder, files));
  if (chmod(folder.c_str(), kFolderMode) != 0) return Failed("open", folder, errno);
  return Sync(folder);
}

absl::Status WriteNew(const fs::path& folder, absl::Span<const KitFile> files) {
  std::string staged = absl::StrCat(folder.string(), ".XXXXXX");
  if (mkdtemp(staged.data()) == nullptr) return Failed("make a folder beside", folder, errno);
  absl::Status status = FillNewFolder(staged, files);
  if (status.ok() &&
      renameat2(AT_FDCWD, staged.c_str(), AT_FDCWD, folder.c_str(), RENAME_NOREPLACE) != 0) {
    status = Failed("put the files in place as", folder, errno);
  }
  if (status.ok()) return Sync(folder.has_parent_path() ? folder.parent_path() : fs::path("."));
  std::error_code ignored;
  fs::remove_all(staged, ignored);
  return status;
}

absl::Status WriteInto(const fs::path& folder, absl::Span<const KitFile> files) {
  std::vector<fs::path> made;
  absl::Status status;
  for (const fs::path& below : FoldersOf(folder, files)) {
    if (fs::is_directory(below)) continue;
    status = MakeFolder(below);
    if (!status.ok()) break;
    made.push_back(below);
  }
  if (status.ok()) status = WriteFiles(folder, files);
  if (status.ok()) return status;
  std::error_code ignored;
  for (auto below = made.rbegin(); below != made.rend(); ++below) fs::remove(*below, ignored);
  return status;
}

}  // namespace

absl::Status WriteKitFolder(const std::string& folder, absl::Span<const KitFile> files,
                            bool force) {
  fs::path path(folder);
  if (!path.has_filename()) path = path.parent_path();
  if (path.empty() || !path.has_filename()) return Refuse("must name a folder");
  struct stat there = {};
  if (lstat(path.c_str(), &there) != 0) return WriteNew(path, files);
  if (!force) {
    return Refuse(absl::StrCat(path.string(),
                               " is there already: name another folder, or give --force to "
                               "replace the files of this kit in it"));
  }
  std::error_code error;
  if (!fs::is_directory(path, error)) return Refuse(absl::StrCat(path.string(), " is no folder"));
  return WriteInto(path, files);
}

}  // namespace hourglass::gateways
