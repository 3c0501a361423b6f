// A file of key entries in their order: where sealed records are found by their hashes.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_RUN_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_RUN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "issuance/store/sqlite/key_index/key_filter.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/key_index/key_table.h"

namespace hourglass::issuance {

// What a run is of.
struct KeyRunFacts {
  std::int64_t first_segment = 0;
  std::int64_t last_segment = 0;
  // Of its entries, the lowest and the highest; 0 where there is none.
  std::int64_t first_sequence = 0;
  std::int64_t last_sequence = 0;
  // Over all that the file holds, under the store's key: no other run has it but by chance.
  std::int64_t checksum = 0;
};

// Pages of 4096 octets, each with a checksum: 255 entries, how many, SipHash. Then the first hash
// of each page, the filter, and a trailer that says what the run is of; all numbers little-endian.
// In memory are the first hashes and the filter: 12.3 bits an entry. The file may be unlinked while
// it is open. Safe to call from several threads. Errors of all: JOURNAL_UNAVAILABLE where the file
// cannot be read or written or is damaged.
class KeyRun {
 public:
  static constexpr std::size_t kPageOctets = 4096;
  static constexpr std::size_t kPageEntries = 255;

  static absl::StatusOr<std::shared_ptr<const KeyRun>> Open(const std::string& path,
                                                            const HashKey& key);
  ~KeyRun();
  KeyRun(const KeyRun&) = delete;
  KeyRun& operator=(const KeyRun&) = delete;

  // Whether this is the file that `path` names now.
  bool IsAt(const std::string& path) const;
  // Appends every sequence number under `hash`. Reads the file only if the filter may hold it.
  absl::Status Find(std::uint64_t hash, Candidates& candidates) const;
  const KeyRunFacts& facts() const { return facts_; }
  std::uint64_t entry_count() const { return entry_count_; }
  std::size_t page_count() const { return first_hashes_.size(); }
  // The entries of one page, in their order.
  absl::StatusOr<std::vector<KeyEntry>> ReadPage(std::size_t page) const;
  // Reads the whole file, and fails where any page is not the one that was written.
  absl::Status CheckPages() const;

 private:
  KeyRun(std::string path, int file, const HashKey& key)
      : path_(std::move(path)), file_(file), key_(key), filter_(std::size_t{0}) {}
  absl::Status ReadDirectory();
  absl::Status ReadAt(std::uint64_t offset, char* octets, std::size_t size) const;
  absl::Status Damaged() const;

  const std::string path_;  // as it was opened
  const int file_;
  const HashKey key_;
  KeyRunFacts facts_;
  std::uint64_t pages_checksum_ = 0;
  std::uint64_t entry_count_ = 0;
  std::vector<std::uint64_t> first_hashes_;
  KeyFilter filter_;
};

// Writes a run of one entry after the other. The file, mode 0600, is whole and on the disk once
// Finish returned OK, and gone if this object goes before.
class KeyRunWriter {
 public:
  // Of segments `first_segment` to `last_segment`. `capacity` is the most entries that will be
  // added. Replaces a file that is there.
  static absl::StatusOr<std::unique_ptr<KeyRunWriter>> Create(const std::string& path,
                                                              const HashKey& key,
                                                              std::size_t capacity,
                                                              std::int64_t first_segment,
                                                              std::int64_t last_segment);
  ~KeyRunWriter();
  KeyRunWriter(const KeyRunWriter&) = delete;
  KeyRunWriter& operator=(const KeyRunWriter&) = delete;

  // In ascending order.
  absl::Status Add(const KeyEntry& entry);
  absl::Status Finish();

 private:
  KeyRunWriter(std::string path, int file, const HashKey& key, std::size_t capacity)
      : path_(std::move(path)), file_(file), key_(key), filter_(capacity) {}
  absl::Status WritePage();
  absl::Status WriteError() const;
  absl::Status Write(absl::string_view octets);

  const std::string path_;
  int file_;
  const HashKey key_;
  KeyFilter filter_;
  std::vector<KeyEntry> page_;
  std::vector<std::uint64_t> first_hashes_;
  KeyRunFacts facts_;
  std::uint64_t pages_checksum_ = 0;
  std::uint64_t entry_count_ = 0;
  std::size_t unsynchronized_ = 0;
  bool finished_ = false;
};

// One run of the segments of all of `runs`, with their entries but those below `first_sequence`, as
// KeyRunWriter writes it. `pause` is called now and then, on this thread.
absl::Status MergeKeyRuns(
    const std::vector<std::shared_ptr<const KeyRun>>& runs, std::int64_t first_sequence,
    const std::string& path, const HashKey& key, const std::function<void()>& pause = [] {});

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_RUN_H_
