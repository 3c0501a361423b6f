#include "issuance/store/sqlite/key_index/key_filter.h"

#include <algorithm>
#include <cstring>

namespace hourglass::issuance {
namespace {

constexpr std::size_t kBitsEach = 12;

// Odd, as the Parquet specification gives them.
constexpr std::array<std::uint32_t, 8> kSalts = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU,
                                                 0xa2b7289dU, 0x705495c7U, 0x2df1424bU,
                                                 0x9efc4947U, 0x5c6bfb31U};

std::uint32_t BitOf(std::uint64_t hash, std::size_t word) {
  return 1U << ((static_cast<std::uint32_t>(hash) * kSalts[word]) >> 27);
}

}  // namespace

KeyFilter::KeyFilter(std::size_t count)
    : blocks_(std::max<std::size_t>(1, (count * kBitsEach + 255) / 256)) {}

KeyFilter::KeyFilter(absl::string_view octets) : blocks_(octets.size() / kBlockOctets) {
  std::memcpy(blocks_.data(), octets.data(), blocks_.size() * kBlockOctets);
}

std::size_t KeyFilter::BlockOf(std::uint64_t hash) const {
  return static_cast<std::size_t>(((hash >> 32) * blocks_.size()) >> 32);
}

void KeyFilter::Add(std::uint64_t hash) {
  Block& block = blocks_[BlockOf(hash)];
  for (std::size_t word = 0; word < block.words.size(); ++word) {
    block.words[word] |= BitOf(hash, word);
  }
}

bool KeyFilter::MayHold(std::uint64_t hash) const {
  const Block& block = blocks_[BlockOf(hash)];
  bool all = true;
  for (std::size_t word = 0; word < block.words.size(); ++word) {
    all &= (block.words[word] & BitOf(hash, word)) != 0;
  }
  return all;
}

absl::string_view KeyFilter::Octets() const {
  return {reinterpret_cast<const char*>(blocks_.data()), blocks_.size() * kBlockOctets};
}

}  // namespace hourglass::issuance
