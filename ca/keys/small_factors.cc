#include "ca/keys/small_factors.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace hourglass::ca {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint32_t kLargestPrime = 751;
constexpr std::uint32_t kLargestRocaPrime = 167;
constexpr std::uint32_t kRocaGenerator = 65537;
constexpr std::size_t kMaxWords = 4096 / 64;
// Products of this many bits times words of 64, kMaxWords of them together, fit into 128.
constexpr int kProductBits = 58;

constexpr bool IsPrime(std::uint32_t number) {
  for (std::uint32_t divisor = 3; divisor * divisor <= number; divisor += 2) {
    if (number % divisor == 0) return false;
  }
  return true;
}

constexpr std::size_t CountPrimes() {
  std::size_t count = 0;
  for (std::uint32_t number = 3; number <= kLargestPrime; number += 2) count += IsPrime(number);
  return count;
}

// Odd, below 2^10.
struct Prime {
  std::uint32_t value = 0;
  // A number of 64 bits is a multiple of the prime if and only if its product with `inverse`,
  // modulo 2^64, is at most `most`.
  std::uint64_t inverse = 0;
  std::uint64_t most = 0;
  // The powers of 65537 modulo the prime, a bit each; of primes up to kLargestRocaPrime.
  std::array<std::uint64_t, 3> roca_residues = {};
};

constexpr Prime MakePrime(std::uint32_t value) {
  Prime prime;
  prime.value = value;
  // Newton's iteration doubles the bits that are right, three at first.
  prime.inverse = value;
  for (int i = 0; i < 5; ++i) prime.inverse *= 2 - value * prime.inverse;
  prime.most = ~std::uint64_t{0} / value;
  if (value > kLargestRocaPrime) return prime;
  std::uint32_t power = 1;
  do {
    prime.roca_residues[power / 64] |= std::uint64_t{1} << power % 64;
    power = power * (kRocaGenerator % value) % value;
  } while (power != 1);
  return prime;
}

constexpr std::array<Prime, CountPrimes()> MakePrimes() {
  std::array<Prime, CountPrimes()> primes;
  std::size_t count = 0;
  for (std::uint32_t number = 3; number <= kLargestPrime; number += 2) {
    if (IsPrime(number)) primes[count++] = MakePrime(number);
  }
  return primes;
}

constexpr std::array<Prime, CountPrimes()> kPrimes = MakePrimes();

// Primes that follow each other, with a product of at most kProductBits bits: one reduction of the
// modulus serves them all.
struct Group {
  std::size_t first = 0, end = 0;  // in kPrimes
  std::uint64_t product = 1;
  std::array<std::uint64_t, kMaxWords> powers = {};  // of 2^64, modulo the product
};

constexpr std::size_t EndOfGroup(std::size_t first) {
  std::uint64_t product = 1;
  while (first < kPrimes.size() &&
         product <= (std::uint64_t{1} << kProductBits) / kPrimes[first].value) {
    product *= kPrimes[first++].value;
  }
  return first;
}

constexpr std::size_t CountGroups() {
  std::size_t count = 0;
  for (std::size_t first = 0; first < kPrimes.size(); first = EndOfGroup(first)) ++count;
  return count;
}

constexpr std::array<Group, CountGroups()> MakeGroups() {
  std::array<Group, CountGroups()> groups;
  std::size_t first = 0;
  for (Group& group : groups) {
    group.first = first;
    group.end = first = EndOfGroup(first);
    for (std::size_t i = group.first; i < group.end; ++i) group.product *= kPrimes[i].value;
    Wide power = 1;
    for (std::uint64_t& word : group.powers) {
      word = static_cast<std::uint64_t>(power);
      power = (power << 64) % group.product;
    }
  }
  return groups;
}

constexpr std::array<Group, CountGroups()> kGroups = MakeGroups();

struct Words {
  std::array<std::uint64_t, kMaxWords> words = {};  // the lowest first
  std::size_t count = 0;
};

Words WordsOf(absl::string_view big_endian) {
  Words number;
  for (std::size_t i = 0; i < big_endian.size() && i < kMaxWords * 8; ++i) {
    const auto octet = static_cast<std::uint8_t>(big_endian[big_endian.size() - 1 - i]);
    number.words[i / 8] |= static_cast<std::uint64_t>(octet) << i % 8 * 8;
    number.count = i / 8 + 1;
  }
  return number;
}

std::uint64_t Residue(const Words& number, const Group& group) {
  Wide sum = 0;
  for (std::size_t i = 0; i < number.count; ++i) {
    sum += static_cast<Wide>(number.words[i]) * group.powers[i];
  }
  return static_cast<std::uint64_t>(sum % group.product);
}

bool IsRocaResidue(const Prime& prime, std::uint64_t group_residue) {
  const std::uint64_t residue = group_residue % prime.value;
  return (prime.roca_residues[residue / 64] >> residue % 64 & 1) != 0;
}

}  // namespace

SmallPrimesFinding LookAtSmallPrimes(absl::string_view modulus) {
  const Words number = WordsOf(modulus);
  bool may_be_roca = true;
  for (const Group& group : kGroups) {
    const std::uint64_t residue = Residue(number, group);
    for (std::size_t i = group.first; i < group.end; ++i) {
      const Prime& prime = kPrimes[i];
      if (residue * prime.inverse <= prime.most) return SmallPrimesFinding::kFactor;
      may_be_roca =
          may_be_roca && (prime.value > kLargestRocaPrime || IsRocaResidue(prime, residue));
    }
  }
  return may_be_roca ? SmallPrimesFinding::kRocaFingerprint : SmallPrimesFinding::kNone;
}

}  // namespace hourglass::ca
