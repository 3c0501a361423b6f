// The form of a key run's file.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_RUN_FILE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_RUN_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "issuance/store/sqlite/key_index/key_hash.h"
#include "issuance/store/sqlite/key_index/key_table.h"

namespace hourglass::issuance::key_run {

// The last octets of the file; the directory of first hashes and filter lies before it.
struct Trailer {
  std::uint64_t magic = 0;
  std::uint64_t entry_count = 0;
  std::uint64_t page_count = 0;
  std::uint64_t filter_size = 0;  // octets
  // What it is of; all entries lie between the sequence numbers, which are 0 where there is none.
  std::int64_t first_segment = 0;
  std::int64_t last_segment = 0;
  std::int64_t first_sequence = 0;
  std::int64_t last_sequence = 0;
  std::uint64_t pages_checksum = 0;  // ChainPage of all pages, from 0
  std::uint64_t directory_checksum = 0;
  std::uint64_t own_checksum = 0;

  // Fills in what tells that it is one.
  void Sign(const HashKey& key);
  // Whether Sign made it, with this key.
  bool IsOf(const HashKey& key) const;
  std::uint64_t DirectorySize() const;
  std::uint64_t FileSize() const;
};

// 4096 octets of at most 255 entries, and back. Errors: JOURNAL_UNAVAILABLE for damaged octets.
std::string FormatPage(const HashKey& key, absl::Span<const KeyEntry> entries);
absl::StatusOr<std::vector<KeyEntry>> ParsePage(const HashKey& key, absl::string_view octets);

// The checksum of the pages before, and this one.
std::uint64_t ChainPage(const HashKey& key, std::uint64_t before, absl::string_view octets);

// JOURNAL_UNAVAILABLE.
absl::Status Damaged();

}  // namespace hourglass::issuance::key_run

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_RUN_FILE_H_
