#include "ca/keys/close_primes.h"

#include <openssl/bn.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>

#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

using ContextPtr = OpensslPtr<BN_CTX, BN_CTX_free>;
__extension__ using Wide = unsigned __int128;

// Numbers of a context, given back at the end of the block.
class Frame {
 public:
  explicit Frame(BN_CTX* context) : context_(context) { BN_CTX_start(context); }
  ~Frame() { BN_CTX_end(context_); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // Null where there is no memory, and then for every later one too.
  BIGNUM* New() { return BN_CTX_get(context_); }

 private:
  BN_CTX* context_;
};

struct Root {
  BIGNUM* root;
  BIGNUM* rest;
};

// The beginning of the recursion: a number of up to 128 bits.
bool RootOfWords(const BIGNUM* number, Root out) {
  std::array<unsigned char, 16> octets;
  if (BN_bn2lebinpad(number, octets.data(), octets.size()) < 0) return false;
  Wide value = 0;
  for (std::size_t i = octets.size(); i-- > 0;) value = value << 8 | octets[i];
  // Rounding is off by little; where it gives 2^64, which is no root, the last is meant.
  const long double near = std::sqrt(static_cast<long double>(value));
  Wide root = near < 0x1p64L ? static_cast<Wide>(near) : ~std::uint64_t{0};
  while (root * root > value) --root;
  while (root < ~std::uint64_t{0} && (root + 1) * (root + 1) <= value) ++root;
  Wide rest = value - root * root;
  for (unsigned char& octet : octets) {
    octet = static_cast<unsigned char>(rest & 0xff);
    rest >>= 8;
  }
  return BN_set_word(out.root, static_cast<std::uint64_t>(root)) == 1 &&
         BN_lebin2bn(octets.data(), octets.size(), out.rest) != nullptr;
}

// BN_mask_bits takes a number that is short already for a mistake.
bool KeepLowBits(BIGNUM* number, int bits) {
  return BN_num_bits(number) <= bits || BN_mask_bits(number, bits) == 1;
}

// number = root^2 + rest with 0 <= rest <= 2 root, by Zimmermann's "Karatsuba Square Root": the
// root of the upper half, and one division for the lower. `bits` is even, and the number below
// 2^bits and not below 2^(bits - 2), or 0.
bool FindRoot(const BIGNUM* number, int bits, Root out, BN_CTX* context) {
  if (bits <= 128) return RootOfWords(number, out);
  Frame frame(context);
  const int part = bits / 4;
  BIGNUM *upper = frame.New(), *middle = frame.New(), *quotient = frame.New(),
         *remainder = frame.New();
  if (remainder == nullptr) return false;
  const Root half{frame.New(), frame.New()};
  if (half.rest == nullptr || BN_rshift(upper, number, 2 * part) != 1 ||
      !FindRoot(upper, bits - 2 * part, half, context)) {
    return false;
  }
  // The third quarter joins what the root of the upper half left.
  if (BN_rshift(middle, number, part) != 1 || !KeepLowBits(middle, part) ||
      BN_lshift(half.rest, half.rest, part) != 1 || BN_add(middle, middle, half.rest) != 1 ||
      BN_lshift1(upper, half.root) != 1 ||
      BN_div(quotient, remainder, middle, upper, context) != 1) {
    return false;
  }
  if (BN_lshift(out.root, half.root, part) != 1 || BN_add(out.root, out.root, quotient) != 1 ||
      BN_copy(middle, number) == nullptr || !KeepLowBits(middle, part) ||
      BN_lshift(remainder, remainder, part) != 1 || BN_add(remainder, remainder, middle) != 1 ||
      BN_sqr(middle, quotient, context) != 1 || BN_sub(out.rest, remainder, middle) != 1) {
    return false;
  }
  while (BN_is_negative(out.rest)) {
    if (BN_add(out.rest, out.rest, out.root) != 1 || BN_sub_word(out.root, 1) != 1 ||
        BN_add(out.rest, out.rest, out.root) != 1) {
      return false;
    }
  }
  return true;
}

bool FindRoot(const BIGNUM* number, Root out, BN_CTX* context) {
  return FindRoot(number, (BN_num_bits(number) + 1) / 2 * 2, out, context);
}

// Most numbers that are no squares are none modulo one of these either; their product fits into 32
// bits.
constexpr std::uint32_t kSieveModuli[] = {64, 63, 65, 11, 17, 19};
constexpr std::uint32_t kSieveProduct = 64u * 63 * 65 * 11 * 17 * 19;

struct Sieve {
  std::array<std::array<bool, 65>, std::size(kSieveModuli)> is_square = {};
};

constexpr Sieve MakeSieve() {
  Sieve sieve;
  for (std::size_t i = 0; i < std::size(kSieveModuli); ++i) {
    const std::uint32_t modulus = kSieveModuli[i];
    for (std::uint32_t n = 0; n < modulus; ++n) sieve.is_square[i][n * n % modulus] = true;
  }
  return sieve;
}

constexpr Sieve kSieve = MakeSieve();

// `residue`: modulo kSieveProduct.
bool MayBeSquare(std::uint64_t residue) {
  // Written out, so that the divisions are by constants.
  return kSieve.is_square[0][residue % 64] && kSieve.is_square[1][residue % 63] &&
         kSieve.is_square[2][residue % 65] && kSieve.is_square[3][residue % 11] &&
         kSieve.is_square[4][residue % 17] && kSieve.is_square[5][residue % 19];
}

// The same for what passed the first sieve: one in a hundred passes this one.
bool MayBeSquareStill(const BIGNUM* number) {
  constexpr BN_ULONG kProduct = 23ul * 29 * 31 * 37 * 41 * 43;
  constexpr auto is_square = [](BN_ULONG residue, BN_ULONG modulus) {
    for (BN_ULONG n = 0; n <= modulus / 2; ++n) {
      if (n * n % modulus == residue) return true;
    }
    return false;
  };
  const BN_ULONG residue = BN_mod_word(number, kProduct);
  for (const BN_ULONG modulus : {23ul, 29ul, 31ul, 37ul, 41ul, 43ul}) {
    if (!is_square(residue % modulus, modulus)) return false;
  }
  return true;
}

// Whether `above` (0 <= round) is a square once the first `round` of the odd numbers from
// 2 root + 3 on are added to it.
std::optional<bool> IsSquare(const BIGNUM* above, const BIGNUM* root, unsigned round,
                             BN_CTX* context) {
  Frame frame(context);
  BIGNUM* const sum = frame.New();
  const Root found{frame.New(), frame.New()};
  // (root + 1 + round)^2 - (root + 1)^2 = 2 round (root + 1) + round^2
  if (found.rest == nullptr || BN_copy(sum, root) == nullptr || BN_add_word(sum, 1) != 1 ||
      BN_mul_word(sum, 2ul * round) != 1 ||
      BN_add_word(sum, static_cast<BN_ULONG>(round) * round) != 1 || BN_add(sum, sum, above) != 1) {
    return std::nullopt;
  }
  if (!MayBeSquareStill(sum)) return false;
  if (!FindRoot(sum, found, context)) return std::nullopt;
  return BN_is_zero(found.rest);
}

std::optional<bool> FermatFactors(const BIGNUM* modulus, BN_CTX* context) {
  Frame frame(context);
  const Root found{frame.New(), frame.New()};
  BIGNUM* const above = frame.New();
  if (above == nullptr || !FindRoot(modulus, found, context)) return std::nullopt;
  if (BN_is_zero(found.rest)) return true;
  // (root + 1)^2 - modulus
  if (BN_lshift1(above, found.root) != 1 || BN_add_word(above, 1) != 1 ||
      BN_sub(above, above, found.rest) != 1) {
    return std::nullopt;
  }
  std::uint64_t residue = BN_mod_word(above, kSieveProduct);
  std::uint64_t step = (2 * BN_mod_word(found.root, kSieveProduct) + 3) % kSieveProduct;
  for (unsigned round = 0; round < kFermatRounds; ++round) {
    if (MayBeSquare(residue)) {
      const std::optional<bool> is_square = IsSquare(above, found.root, round, context);
      if (!is_square.has_value() || *is_square) return is_square;
    }
    residue = (residue + step) % kSieveProduct;
    step += 2;
  }
  return false;
}

}  // namespace

std::optional<bool> HasClosePrimes(absl::string_view modulus) {
  // With the numbers in it: making them anew would cost as much as the method.
  thread_local const ContextPtr context(BN_CTX_new());
  if (context == nullptr) return std::nullopt;
  Frame frame(context.get());
  BIGNUM* const number = frame.New();
  if (number == nullptr || BN_bin2bn(reinterpret_cast<const unsigned char*>(modulus.data()),
                                     static_cast<int>(modulus.size()), number) == nullptr) {
    return std::nullopt;
  }
  return FermatFactors(number, context.get());
}

}  // namespace hourglass::ca
