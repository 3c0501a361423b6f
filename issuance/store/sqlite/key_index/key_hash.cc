#include "issuance/store/sqlite/key_index/key_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>
#include <string>

#include "absl/strings/str_cat.h"

namespace hourglass::issuance {
namespace {

static_assert(std::endian::native == std::endian::little, "the journal's files are little-endian");

struct SipState {
  std::uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }

  void Absorb(std::uint64_t word) {
    v3 ^= word;
    Round();
    Round();
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t SipHash(const HashKey& key, absl::string_view octets) {
  SipState state{key.low ^ 0x736f6d6570736575, key.high ^ 0x646f72616e646f6d,
                 key.low ^ 0x6c7967656e657261, key.high ^ 0x7465646279746573};
  const std::size_t whole = octets.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, octets.data() + at, 8);
    state.Absorb(word);
  }
  std::uint64_t last = std::uint64_t{octets.size()} << 56;
  if (whole < octets.size()) std::memcpy(&last, octets.data() + whole, octets.size() - whole);
  state.Absorb(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) state.Round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

// A tenant id holds no NUL, so that the octets before the first one are the tenant's.
std::uint64_t HashOfRequestId(const HashKey& key, absl::string_view tenant_id,
                              absl::string_view request_id) {
  return SipHash(key, absl::StrCat("r", tenant_id, absl::string_view("\0", 1), request_id));
}

std::uint64_t HashOfSerialNumber(const HashKey& key, absl::string_view tenant_id,
                                 absl::string_view serial_number) {
  return SipHash(key, absl::StrCat("s", tenant_id, absl::string_view("\0", 1), serial_number));
}

}  // namespace hourglass::issuance
