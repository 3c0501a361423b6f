// Files that are read whole, and files that are replaced together or not at all.
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

// The name of standard output, and of standard input.
inline constexpr absl::string_view kStandardStream = "-";

// The whole file, or standard input where `path` is `-`; at most 16 MiB. Errors: FIELD_INVALID
// without a field, naming the path; NotFound where there is none.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

// New content for `path`, durable beside it under the name `TARGET.new`, until CommitTogether puts
// it in place or this object goes and takes it away. TARGET is the file that the links of `path`
// lead to: links stay. For `-` the content waits in memory. Move-only; not for several threads.
class StagedFile {
 public:
  // Writes and syncs `content` with exactly `mode`. What was left under the staged name is removed
  // first and never followed. Errors: FIELD_INVALID without a field, naming the path, also where a
  // thing is there that is no regular file (a folder, a device, a socket, a pipe).
  static absl::StatusOr<StagedFile> Write(const std::string& path, absl::string_view content,
                                          mode_t mode);
  ~StagedFile();
  StagedFile(StagedFile&& other) noexcept;
  StagedFile& operator=(StagedFile&& other) noexcept;

  // The target, or `-`.
  const std::string& path() const { return path_; }

  friend absl::Status CommitTogether(std::vector<StagedFile>& files);

 private:
  // What is under the staged name.
  enum class Holds { kNothing, kNew, kOld };

  StagedFile(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}
  void Abandon();
  // Puts the new content in place and keeps the old one under the staged name.
  absl::Status Place();
  // Undoes Place; false where that fails.
  bool PutBack();

  std::string path_;
  std::string text_;  // of `-`
  Holds staged_ = Holds::kNew;
  bool old_is_lost_ = false;
};

// Puts all in place in this order with nothing in between, then syncs their folders. Where one
// cannot be placed (a mount point, an immutable file), those before it get their old content back:
// all are replaced or none. A file system that cannot exchange two names (renameat2(2)) cannot
// put them back, and the message says so. A reader of one path
// sees its old content or its new, never a part. Standard output is written last, the last of
// `files` first: who reads the certificate finds it in front of its key and chain. Each file at
// most once. Errors: as StagedFile::Write; the message says what stayed.
absl::Status CommitTogether(std::vector<StagedFile>& files);

// Stages and commits one file.
absl::Status ReplaceFile(const std::string& path, absl::string_view content, mode_t mode);

// Removes the file that the links of `path` lead to and syncs its folder; true if there was one.
// Errors: as StagedFile::Write.
absl::StatusOr<bool> RemoveFile(const std::string& path);

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_FILES_H_
