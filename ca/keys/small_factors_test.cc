#include "ca/keys/small_factors.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "ca/testing/key_numbers.h"

namespace hourglass::ca {
namespace {

class SmallFactorsTest : public KeyNumbers {};

TEST_F(SmallFactorsTest, SeesRocasFingerprint) {
  // As the generator makes primes of 1024 bits, and with as few primes as all its sizes share.
  for (const unsigned long largest : {701ul, 167ul}) {
    const BignumPtr p = RocaPrime(1024, largest), q = RocaPrime(1024, largest);
    EXPECT_EQ(LookAtSmallPrimes(Product(p.get(), q.get())), SmallPrimesFinding::kRocaFingerprint)
        << largest;
    // One prime of them is no fingerprint.
    const BignumPtr sound = Prime(1024);
    EXPECT_EQ(LookAtSmallPrimes(Product(p.get(), sound.get())), SmallPrimesFinding::kNone);
  }
}

TEST_F(SmallFactorsTest, SeesEveryPrimeFrom3To751) {
  const BignumPtr large = Prime(2040);
  int primes = 0;
  for (unsigned long n = 3; n <= 751; n += 2) {
    if (!IsPrime(Number(n).get())) continue;
    ++primes;
    EXPECT_EQ(LookAtSmallPrimes(Product(large.get(), Number(n).get())), SmallPrimesFinding::kFactor)
        << n;
  }
  EXPECT_EQ(primes, 132);
  EXPECT_EQ(LookAtSmallPrimes(Product(large.get(), Number(757).get())), SmallPrimesFinding::kNone);
}

// The modulus mod01 of the detection tool that Nemec and others published with their paper: one
// that a faulty chip made.
constexpr char kPublished[] =
    "944e13208a280c37efc31c3114485e590192adbb8e11c87cad60cdef0037ce99278330d3f471a2538fa667802ed2a3"
    "c4"
    "4a8b7dea826e888d0aa341fd664f7fa7";

TEST_F(SmallFactorsTest, SeesThePublishedFingerprint) {
  std::string modulus = absl::HexStringToBytes(kPublished);
  EXPECT_EQ(LookAtSmallPrimes(modulus), SmallPrimesFinding::kRocaFingerprint);
  EXPECT_EQ(LookAtSmallPrimes(std::string(448, '\0') + modulus),
            SmallPrimesFinding::kRocaFingerprint)
      << "zeros in front change nothing";
  // What is next to it has none: 2 more, and 2 less.
  modulus.back() = static_cast<char>(modulus.back() + 2);
  EXPECT_NE(LookAtSmallPrimes(modulus), SmallPrimesFinding::kRocaFingerprint);
  modulus.back() = static_cast<char>(modulus.back() - 4);
  EXPECT_NE(LookAtSmallPrimes(modulus), SmallPrimesFinding::kRocaFingerprint);
}

// What the header says, by division one prime after the other.
SmallPrimesFinding ByDivision(unsigned long modulus) {
  bool powers_only = true;
  for (unsigned long prime = 3; prime <= 751; prime += 2) {
    bool is_prime = true;
    for (unsigned long n = 3; n < prime; n += 2) is_prime = is_prime && prime % n != 0;
    if (!is_prime) continue;
    if (modulus % prime == 0) return SmallPrimesFinding::kFactor;
    if (prime > 167) continue;
    bool is_power = false;
    for (unsigned long i = 0, power = 1; i < prime; ++i, power = power * 65537 % prime) {
      is_power = is_power || power == modulus % prime;
    }
    powers_only = powers_only && is_power;
  }
  return powers_only ? SmallPrimesFinding::kRocaFingerprint : SmallPrimesFinding::kNone;
}

TEST_F(SmallFactorsTest, SmallModuliAreAsDivisionSays) {
  // 1 and 65537 have the fingerprint: they are powers of 65537 themselves.
  for (const unsigned long modulus : {1ul,
                                      3ul,
                                      5ul,
                                      9ul,
                                      255ul,
                                      257ul,
                                      751ul,
                                      753ul,
                                      757ul,
                                      751ul * 757,
                                      757ul * 757,
                                      65535ul,
                                      65537ul,
                                      65539ul,
                                      65537ul * 65537,
                                      4294967295ul,
                                      4294967297ul,
                                      757ul * 761 * 769,
                                      18446744073709551615ul,
                                      18446744073709551557ul}) {
    EXPECT_EQ(LookAtSmallPrimes(Octets(Number(modulus).get())), ByDivision(modulus)) << modulus;
  }
  for (unsigned long modulus = 1; modulus < 4000; modulus += 2) {
    EXPECT_EQ(LookAtSmallPrimes(Octets(Number(modulus).get())), ByDivision(modulus)) << modulus;
  }
}

// Of every length up to the largest, with an octet more or less than whole words.
TEST_F(SmallFactorsTest, SeesAFactorInModuliOfEveryLength) {
  for (int octets = 8; octets <= 512; octets += octets < 40 || octets > 500 ? 1 : 37) {
    const BignumPtr sound = Prime(octets * 8 - 10);
    EXPECT_EQ(LookAtSmallPrimes(Octets(sound.get())), SmallPrimesFinding::kNone) << octets;
    for (const unsigned long factor : {3ul, 5ul, 167ul, 173ul, 743ul, 751ul}) {
      EXPECT_EQ(LookAtSmallPrimes(Product(sound.get(), Number(factor).get())),
                SmallPrimesFinding::kFactor)
          << octets << " " << factor;
    }
  }
  // 2^4096 - 1, all bits set, is a multiple of 3.
  EXPECT_EQ(LookAtSmallPrimes(std::string(512, '\xff')), SmallPrimesFinding::kFactor);
}

// A factor counts more than the fingerprint.
TEST_F(SmallFactorsTest, AFactorIsNamedFirst) {
  const BignumPtr p = RocaPrime(1024, 167);
  ASSERT_EQ(LookAtSmallPrimes(Octets(p.get())), SmallPrimesFinding::kRocaFingerprint);
  EXPECT_EQ(LookAtSmallPrimes(Product(p.get(), Number(751).get())), SmallPrimesFinding::kFactor);
}

}  // namespace
}  // namespace hourglass::ca
