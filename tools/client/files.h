// Files that are read whole, and files that are replaced at once or not at all.
#ifndef HOURGLASS_TOOLS_CLIENT_FILES_H_
#define HOURGLASS_TOOLS_CLIENT_FILES_H_

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hourglass::client {

// The whole file, or standard input where `path` is `-`; at most 16 MiB. Errors: FIELD_INVALID
// without a field, naming the path; NotFound where there is none.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

// New content for `path`, durable under the name `path.new` in the same folder, until Commit puts
// it in place or this object goes and takes it away. Move-only; not for several threads.
class StagedFile {
 public:
  // Writes and syncs `content` with exactly `mode`. What was left under that name is removed first
  // and never followed. Errors: FIELD_INVALID without a field, naming the path.
  static absl::StatusOr<StagedFile> Write(const std::string& path, absl::string_view content,
                                          mode_t mode);
  ~StagedFile();
  StagedFile(StagedFile&& other) noexcept;
  StagedFile& operator=(StagedFile&& other) noexcept;

  const std::string& path() const { return path_; }

  friend absl::Status CommitTogether(std::vector<StagedFile>& files);

 private:
  explicit StagedFile(std::string path) : path_(std::move(path)) {}
  void Abandon();
  absl::Status Rename();

  std::string path_;  // empty: nothing is staged
};

// Renames each over its path in this order with nothing in between, then syncs their folders. A
// reader of one path sees its old content or its new, never a part. Each file at most once. Errors:
// as StagedFile::Write; those before it in `files` are in place then.
absl::Status CommitTogether(std::vector<StagedFile>& files);

// Stages and commits one file.
absl::Status ReplaceFile(const std::string& path, absl::string_view content, mode_t mode);

// Removes the file and syncs its folder; true if there was one. Errors: as StagedFile::Write.
absl::StatusOr<bool> RemoveFile(const std::string& path);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_FILES_H_
