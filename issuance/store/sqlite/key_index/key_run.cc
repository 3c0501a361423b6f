#include "issuance/store/sqlite/key_index/key_run.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/store/sqlite/engine/file_error.h"
#include "issuance/store/sqlite/key_index/key_run_file.h"

namespace hourglass::issuance {
namespace {

using key_run::Trailer;

}  // namespace

absl::Status KeyRun::Damaged() const {
  return Error(ErrorReason::kJournalUnavailable, "",
               absl::StrCat("database: key run ", path_, " is damaged, or of another version"));
}

absl::Status KeyRun::ReadAt(std::uint64_t offset, char* octets, std::size_t size) const {
  while (size > 0) {
    const ssize_t read = pread(file_, octets, size, static_cast<off_t>(offset));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return FileError("cannot read", path_, errno);
    if (read == 0) return Damaged();
    octets += read;
    offset += static_cast<std::uint64_t>(read);
    size -= static_cast<std::size_t>(read);
  }
  return absl::OkStatus();
}

KeyRun::~KeyRun() { close(file_); }

absl::StatusOr<std::shared_ptr<const KeyRun>> KeyRun::Open(const std::string& path,
                                                           const HashKey& key) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return FileError("cannot open", path, errno);
  std::shared_ptr<KeyRun> run(new KeyRun(path, file, key));
  RETURN_IF_ERROR(run->ReadDirectory());
  return std::shared_ptr<const KeyRun>(std::move(run));
}

bool KeyRun::IsAt(const std::string& path) const {
  struct stat own, there;
  return fstat(file_, &own) == 0 && stat(path.c_str(), &there) == 0 && own.st_dev == there.st_dev &&
         own.st_ino == there.st_ino;
}

absl::Status KeyRun::ReadDirectory() {
  struct stat status;
  if (fstat(file_, &status) != 0) return FileError("cannot read", path_, errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size < sizeof(Trailer)) return Damaged();
  Trailer trailer;
  RETURN_IF_ERROR(
      ReadAt(size - sizeof(Trailer), reinterpret_cast<char*>(&trailer), sizeof(Trailer)));
  if (!trailer.IsOf(key_) || trailer.FileSize() != size) return Damaged();
  std::string directory(trailer.DirectorySize(), '\0');
  RETURN_IF_ERROR(ReadAt(trailer.page_count * kPageOctets, directory.data(), directory.size()));
  if (SipHash(key_, directory) != trailer.directory_checksum) return Damaged();
  facts_ = {trailer.first_segment, trailer.last_segment, trailer.first_sequence,
            trailer.last_sequence, static_cast<std::int64_t>(trailer.own_checksum)};
  pages_checksum_ = trailer.pages_checksum;
  entry_count_ = trailer.entry_count;
  first_hashes_.resize(trailer.page_count);
  const std::size_t hashes_size = trailer.page_count * sizeof(std::uint64_t);
  // An empty run has no page, and nowhere to copy to.
  if (hashes_size > 0) std::memcpy(first_hashes_.data(), directory.data(), hashes_size);
  filter_ = KeyFilter(absl::string_view(directory).substr(hashes_size));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<KeyEntry>> KeyRun::ReadPage(std::size_t page) const {
  char octets[kPageOctets];
  RETURN_IF_ERROR(ReadAt(page * kPageOctets, octets, kPageOctets));
  const absl::StatusOr<std::vector<KeyEntry>> entries =
      key_run::ParsePage(key_, absl::string_view(octets, kPageOctets));
  // A page of another place, or of an earlier file, has a sound checksum as well.
  if (!entries.ok() || entries->empty() || entries->front().hash != first_hashes_[page]) {
    return Damaged();
  }
  return entries;
}

absl::Status KeyRun::CheckPages() const {
  std::uint64_t checksum = 0;
  for (std::size_t page = 0; page < page_count(); ++page) {
    char octets[kPageOctets];
    RETURN_IF_ERROR(ReadAt(page * kPageOctets, octets, kPageOctets));
    checksum = key_run::ChainPage(key_, checksum, {octets, kPageOctets});
    RETURN_IF_ERROR(ReadPage(page).status());
  }
  return checksum == pages_checksum_ ? absl::OkStatus() : Damaged();
}

absl::Status KeyRun::Find(std::uint64_t hash, Candidates& candidates) const {
  if (!filter_.MayHold(hash)) return absl::OkStatus();
  // Entries of one hash may lie on several pages, the first of them before the page that begins
  // with the hash.
  auto first = std::lower_bound(first_hashes_.begin(), first_hashes_.end(), hash);
  if (first != first_hashes_.begin()) --first;
  for (; first != first_hashes_.end() && *first <= hash; ++first) {
    ASSIGN_OR_RETURN(const std::vector<KeyEntry> entries,
                     ReadPage(static_cast<std::size_t>(first - first_hashes_.begin())));
    auto entry = std::lower_bound(entries.begin(), entries.end(), KeyEntry{hash, 0});
    for (; entry != entries.end() && entry->hash == hash; ++entry) {
      candidates.push_back(entry->sequence);
    }
  }
  return absl::OkStatus();
}

namespace {

// The entries of a run, one after the other.
class Cursor {
 public:
  explicit Cursor(const KeyRun* run) : run_(run) {}

  // False after the last one.
  absl::StatusOr<bool> Next() {
    if (++position_ < entries_.size()) return true;
    if (page_ == run_->page_count()) return false;
    ASSIGN_OR_RETURN(entries_, run_->ReadPage(page_++));
    position_ = 0;
    return !entries_.empty();
  }
  const KeyEntry& entry() const { return entries_[position_]; }

 private:
  const KeyRun* run_;
  std::size_t page_ = 0;
  std::size_t position_ = 0;
  std::vector<KeyEntry> entries_;
};

}  // namespace

absl::Status MergeKeyRuns(const std::vector<std::shared_ptr<const KeyRun>>& runs,
                          std::int64_t first_sequence, const std::string& path, const HashKey& key,
                          const std::function<void()>& pause) {
  std::uint64_t capacity = 0;
  std::int64_t first_segment = std::numeric_limits<std::int64_t>::max(), last_segment = 0;
  std::vector<Cursor> cursors;
  for (const std::shared_ptr<const KeyRun>& run : runs) {
    capacity += run->entry_count();
    first_segment = std::min(first_segment, run->facts().first_segment);
    last_segment = std::max(last_segment, run->facts().last_segment);
    Cursor cursor(run.get());
    ASSIGN_OR_RETURN(const bool there, cursor.Next());
    if (there) cursors.push_back(std::move(cursor));
  }
  ASSIGN_OR_RETURN(std::unique_ptr<KeyRunWriter> writer,
                   KeyRunWriter::Create(path, key, capacity, first_segment, last_segment));
  for (std::uint64_t taken = 0; !cursors.empty(); ++taken) {
    if (taken % KeyRun::kPageEntries == 0) pause();
    const auto least =
        std::min_element(cursors.begin(), cursors.end(),
                         [](const Cursor& a, const Cursor& b) { return a.entry() < b.entry(); });
    if (least->entry().sequence >= first_sequence) RETURN_IF_ERROR(writer->Add(least->entry()));
    ASSIGN_OR_RETURN(const bool more, least->Next());
    if (!more) cursors.erase(least);
  }
  return writer->Finish();
}

}  // namespace hourglass::issuance
