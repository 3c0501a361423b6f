// A set of hashes that never denies a member and seldom takes a stranger for one.
#ifndef HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_FILTER_H_
#define HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_FILTER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// A split block Bloom filter (Apache Parquet, "Bloom Filter"; Putze, Sanders and Singler,
// "Cache-, Hash- and Space-Efficient Bloom Filters", section 3.1): each hash sets one bit in each
// word of one block, so that a question touches a single cache line. With 12 bits a hash about one
// stranger in 150 passes. MayHold is safe to call from several threads once all are added.
class KeyFilter {
 public:
  // An empty one for `count` hashes.
  explicit KeyFilter(std::size_t count);
  // What Octets gave. `octets` is a multiple of kBlockOctets and not empty.
  explicit KeyFilter(absl::string_view octets);

  static constexpr std::size_t kBlockOctets = 32;

  void Add(std::uint64_t hash);
  bool MayHold(std::uint64_t hash) const;
  absl::string_view Octets() const;

 private:
  struct alignas(kBlockOctets) Block {
    std::array<std::uint32_t, 8> words{};
  };

  std::size_t BlockOf(std::uint64_t hash) const;

  std::vector<Block> blocks_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_STORE_SQLITE_KEY_INDEX_KEY_FILTER_H_
