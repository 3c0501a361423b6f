#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "hsm/base/status_macros.h"
#include "issuance/store/key_run.h"
#include "issuance/store/key_run_file.h"

namespace hourglass::issuance {
namespace {

// Written out every so often, or the last flush of a large file would hold up those of the journal
// beside it.
constexpr std::size_t kFlushEach = std::size_t{4} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<KeyRunWriter>> KeyRunWriter::Create(const std::string& path,
                                                                   const HashKey& key,
                                                                   std::size_t capacity) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return key_run::SystemError("a key run cannot be made", errno);
  return std::unique_ptr<KeyRunWriter>(new KeyRunWriter(path, file, key, capacity));
}

KeyRunWriter::~KeyRunWriter() {
  close(file_);
  if (!finished_) unlink(path_.c_str());
}

absl::Status KeyRunWriter::Add(const KeyEntry& entry) {
  page_.push_back(entry);
  filter_.Add(entry.hash);
  ++entry_count_;
  return page_.size() == KeyRun::kPageEntries ? WritePage() : absl::OkStatus();
}

absl::Status KeyRunWriter::WritePage() {
  first_hashes_.push_back(page_.front().hash);
  RETURN_IF_ERROR(Write(key_run::FormatPage(key_, page_)));
  page_.clear();
  return absl::OkStatus();
}

absl::Status KeyRunWriter::Write(absl::string_view octets) {
  unsynchronized_ += octets.size();
  while (!octets.empty()) {
    const ssize_t written = write(file_, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return key_run::SystemError("a key run cannot be written", errno);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  if (unsynchronized_ < kFlushEach) return absl::OkStatus();
  unsynchronized_ = 0;
  if (fdatasync(file_) != 0) return key_run::SystemError("a key run cannot be written", errno);
  return absl::OkStatus();
}

absl::Status KeyRunWriter::Finish() {
  if (!page_.empty()) RETURN_IF_ERROR(WritePage());
  std::string directory(reinterpret_cast<const char*>(first_hashes_.data()),
                        first_hashes_.size() * sizeof(std::uint64_t));
  const absl::string_view filter = filter_.Octets();
  directory.append(filter.data(), filter.size());
  key_run::Trailer trailer;
  trailer.entry_count = entry_count_;
  trailer.page_count = first_hashes_.size();
  trailer.filter_size = filter.size();
  trailer.directory_checksum = SipHash(key_, directory);
  trailer.Sign(key_);
  RETURN_IF_ERROR(Write(directory));
  RETURN_IF_ERROR(Write({reinterpret_cast<const char*>(&trailer), sizeof(trailer)}));
  if (fsync(file_) != 0) return key_run::SystemError("a key run cannot be written", errno);
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
