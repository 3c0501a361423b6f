#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/key_index/key_run.h"
#include "issuance/store/sqlite/key_index/key_run_file.h"

namespace hourglass::issuance {
namespace {

// Written out every so often, or the last flush of a large file would hold up those of the journal
// beside it.
constexpr std::size_t kFlushEach = std::size_t{4} << 20;

// A run that has no number yet has another name each time it is tried: whoever tells of an error
// once must know it again.
std::string FolderOf(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

absl::StatusOr<std::unique_ptr<KeyRunWriter>> KeyRunWriter::Create(const std::string& path,
                                                                   const HashKey& key,
                                                                   std::size_t capacity,
                                                                   std::int64_t first_segment,
                                                                   std::int64_t last_segment) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return FileError("a key run cannot be made in", FolderOf(path), errno);
  std::unique_ptr<KeyRunWriter> writer(new KeyRunWriter(path, file, key, capacity));
  writer->facts_.first_segment = first_segment;
  writer->facts_.last_segment = last_segment;
  return writer;
}

absl::Status KeyRunWriter::WriteError() const {
  return FileError("a key run cannot be written in", FolderOf(path_), errno);
}

KeyRunWriter::~KeyRunWriter() {
  close(file_);
  if (!finished_) unlink(path_.c_str());
}

absl::Status KeyRunWriter::Add(const KeyEntry& entry) {
  page_.push_back(entry);
  filter_.Add(entry.hash);
  facts_.first_sequence =
      entry_count_ == 0 ? entry.sequence : std::min(facts_.first_sequence, entry.sequence);
  facts_.last_sequence = std::max(facts_.last_sequence, entry.sequence);
  ++entry_count_;
  return page_.size() == KeyRun::kPageEntries ? WritePage() : absl::OkStatus();
}

absl::Status KeyRunWriter::WritePage() {
  first_hashes_.push_back(page_.front().hash);
  const std::string octets = key_run::FormatPage(key_, page_);
  pages_checksum_ = key_run::ChainPage(key_, pages_checksum_, octets);
  RETURN_IF_ERROR(Write(octets));
  page_.clear();
  return absl::OkStatus();
}

absl::Status KeyRunWriter::Write(absl::string_view octets) {
  unsynchronized_ += octets.size();
  while (!octets.empty()) {
    const ssize_t written = write(file_, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return WriteError();
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  if (unsynchronized_ < kFlushEach) return absl::OkStatus();
  unsynchronized_ = 0;
  if (fdatasync(file_) != 0) return WriteError();
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
  trailer.first_segment = facts_.first_segment;
  trailer.last_segment = facts_.last_segment;
  trailer.first_sequence = facts_.first_sequence;
  trailer.last_sequence = facts_.last_sequence;
  trailer.pages_checksum = pages_checksum_;
  trailer.directory_checksum = SipHash(key_, directory);
  trailer.Sign(key_);
  RETURN_IF_ERROR(Write(directory));
  RETURN_IF_ERROR(Write({reinterpret_cast<const char*>(&trailer), sizeof(trailer)}));
  if (fsync(file_) != 0) return WriteError();
  finished_ = true;
  return absl::OkStatus();
}

}  // namespace hourglass::issuance
