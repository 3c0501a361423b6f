// Entries for tests of what keeps them.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_TESTING_RANDOM_ENTRIES_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_TESTING_RANDOM_ENTRIES_H_

#include <cstdint>
#include <random>
#include <vector>

#include "issuance/store/sqlite/key_index/key_table.h"

namespace hourglass::issuance {

// `count` entries, the sequence numbers of which follow each other; not in the order of their
// hashes. The hashes are a function of `first_sequence`: the same each time.
inline std::vector<KeyEntry> RandomEntries(int count, std::int64_t first_sequence = 1) {
  std::mt19937_64 random(static_cast<std::uint64_t>(first_sequence));
  std::vector<KeyEntry> entries;
  for (int i = 0; i < count; ++i) entries.push_back({random(), first_sequence + i});
  return entries;
}

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_TESTING_RANDOM_ENTRIES_H_
