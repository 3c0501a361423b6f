#include "issuance/store/sqlite/key_index/key_table.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hourglass::issuance {

void KeyTable::Insert(const KeyEntry& entry) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = entry.hash & mask;
  while (slots_[slot].sequence != 0) slot = (slot + 1) & mask;
  slots_[slot] = entry;
}

void KeyTable::Add(const KeyEntry& entry) {
  if (2 * (taken_ + 1) > slots_.size()) {
    const std::vector<KeyEntry> old =
        std::exchange(slots_, std::vector<KeyEntry>(2 * slots_.size()));
    for (const KeyEntry& moved : old) {
      if (moved.sequence != 0) Insert(moved);
    }
  }
  Insert(entry);
  ++taken_;
}

void KeyTable::Find(std::uint64_t hash, Candidates& candidates) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash & mask; slots_[slot].sequence != 0; slot = (slot + 1) & mask) {
    if (slots_[slot].hash == hash) candidates.push_back(slots_[slot].sequence);
  }
}

std::vector<KeyEntry> KeyTable::Sorted() const {
  std::vector<KeyEntry> entries;
  entries.reserve(taken_);
  std::copy_if(slots_.begin(), slots_.end(), std::back_inserter(entries),
               [](const KeyEntry& entry) { return entry.sequence != 0; });
  std::sort(entries.begin(), entries.end());
  return entries;
}

}  // namespace hourglass::issuance
