// Which sequence numbers a hash may stand for: in memory, for records that are in no key run yet.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_TABLE_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_TABLE_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/inlined_vector.h"

namespace hourglass::issuance {

// A record of the journal under one of its hashes (issuance/store/sqlite/key_index/key_hash.h).
struct KeyEntry {
  std::uint64_t hash = 0;
  std::int64_t sequence = 0;  // from 1

  auto operator<=>(const KeyEntry&) const = default;
};

// Records that a hash may stand for. Whoever looks reads each and compares what was hashed.
using Candidates = absl::InlinedVector<std::int64_t, 4>;

// 16 octets a slot, a quarter to a half of them taken. Not safe to call from several threads.
class KeyTable {
 public:
  KeyTable() : slots_(kFirstSlots) {}

  void Add(const KeyEntry& entry);
  // Appends every sequence number that was added under `hash`.
  void Find(std::uint64_t hash, Candidates& candidates) const;
  // All entries in their order.
  std::vector<KeyEntry> Sorted() const;

 private:
  static constexpr std::size_t kFirstSlots = 64;

  void Insert(const KeyEntry& entry);

  std::vector<KeyEntry> slots_;  // a power of two; sequence 0 where free
  std::size_t taken_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_TABLE_H_
