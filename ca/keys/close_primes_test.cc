#include "ca/keys/close_primes.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "ca/testing/key_numbers.h"
#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

class ClosePrimesTest : public KeyNumbers {};

TEST_F(ClosePrimesTest, FindsPrimesThatDifferInTheirLowerHalf) {
  for (const int bits : {1024, 1025, 1536, 2048}) {
    SCOPED_TRACE(bits);
    const BignumPtr p = Prime(bits), near(BN_new()), far(BN_new());
    // 2^(bits/2 + 3) apart they are found in some ten rounds, and 2^(bits/2 + 6) apart not in a
    // hundred.
    BN_lshift(near.get(), BN_value_one(), bits / 2 + 3);
    BN_lshift(far.get(), BN_value_one(), bits / 2 + 6);
    for (const BIGNUM* distance : std::vector<const BIGNUM*>{BN_value_one(), near.get()}) {
      const BignumPtr q = PrimeAbove(p.get(), distance);
      EXPECT_EQ(HasClosePrimes(Product(p.get(), q.get())), true);
    }
    const BignumPtr q = PrimeAbove(p.get(), far.get());
    EXPECT_EQ(HasClosePrimes(Product(p.get(), q.get())), false);
    EXPECT_EQ(HasClosePrimes(Product(p.get(), p.get())), true);
  }
}

// (a - b)(a + b) is found in the round in which a is tried, and in no later one.
TEST_F(ClosePrimesTest, LooksAtAHundredRounds) {
  for (int i = 0; i < 50; ++i) {
    const BignumPtr root(BN_new()), modulus(BN_new()), a(BN_new()), b(BN_new());
    BN_rand(root.get(), 1024, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
    for (const unsigned long round : {1ul, 2ul, 57ul, 99ul, 100ul, 101ul, 102ul}) {
      // b^2 just below what makes a - round the integer root: b = isqrt of about 2 a round.
      BN_copy(a.get(), root.get());
      BN_add_word(a.get(), round);
      BN_copy(b.get(), root.get());
      BN_mul_word(b.get(), 2 * round - 1);
      // The square root by bisection, which OpenSSL has not.
      const BignumPtr low = Number(0), high(BN_new()), middle(BN_new()), square(BN_new());
      BN_lshift(high.get(), BN_value_one(), 600);
      while (BN_cmp(low.get(), high.get()) < 0) {
        BN_add(middle.get(), low.get(), high.get());
        BN_add_word(middle.get(), 1);
        BN_rshift1(middle.get(), middle.get());
        BN_sqr(square.get(), middle.get(), context_.get());
        if (BN_cmp(square.get(), b.get()) <= 0) {
          BN_copy(low.get(), middle.get());
        } else {
          BN_copy(high.get(), middle.get());
          BN_sub_word(high.get(), 1);
        }
      }
      BN_sqr(modulus.get(), a.get(), context_.get());
      BN_sqr(square.get(), low.get(), context_.get());
      BN_sub(modulus.get(), modulus.get(), square.get());
      EXPECT_EQ(HasClosePrimes(Octets(modulus.get())), round <= 100) << round;
    }
  }
}

// The same by trying out, with whole numbers that a machine word holds.
bool IsCloseByTrial(std::uint64_t modulus) {
  __extension__ using Wide = unsigned __int128;
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 31; bit != 0; bit >>= 1) {
    if ((root | bit) * (root | bit) <= modulus) root |= bit;
  }
  if (root * root == modulus) return true;
  for (int round = 1; round <= kFermatRounds; ++round) {
    const Wide difference = static_cast<Wide>(root + round) * (root + round) - modulus;
    std::uint64_t other = 0;
    for (std::uint64_t bit = std::uint64_t{1} << 40; bit != 0; bit >>= 1) {
      if (static_cast<Wide>(other | bit) * (other | bit) <= difference) other |= bit;
    }
    if (static_cast<Wide>(other) * other == difference) return true;
  }
  return false;
}

TEST_F(ClosePrimesTest, SmallModuliAreAsTrialSays) {
  int close = 0, others = 0;
  const auto check = [&](std::uint64_t modulus) {
    const bool expected = IsCloseByTrial(modulus);
    EXPECT_EQ(HasClosePrimes(Octets(Number(modulus).get())), expected) << modulus;
    ++(expected ? close : others);
  };
  for (std::uint64_t modulus = 1; modulus < 3000; modulus += 2) check(modulus);
  for (std::uint64_t modulus = 1000001; modulus < 1003000; modulus += 2) check(modulus);
  for (std::uint64_t modulus = 4294967297 - 1000; modulus < 4294967297 + 1000; modulus += 2) {
    check(modulus | 1);
  }
  for (std::uint64_t less = 0; less < 1000; less += 2) check(~less);
  // The largest square of a word, and what is around it.
  for (const std::uint64_t root : {4294967295u, 4294967293u}) {
    for (int more = -4; more <= 4; more += 2) check(std::uint64_t{root} * root + more);
  }
  EXPECT_GT(close, 1000);
  EXPECT_GT(others, 500);
}

// A square gives its root away, of every length around whole words; zeros in front change nothing.
TEST_F(ClosePrimesTest, SquaresOfEveryLength) {
  for (int bits = 60; bits <= 2048; bits += bits < 200 ? 1 : 61) {
    const BignumPtr p = Prime(bits);
    const std::string square = Product(p.get(), p.get());
    EXPECT_EQ(HasClosePrimes(square), true) << bits;
    EXPECT_EQ(HasClosePrimes(std::string(3, '\0') + square), true) << bits;
  }
}

TEST_F(ClosePrimesTest, SoundModuliOfEverySizeHaveNone) {
  for (const int bits : {2048, 2049, 3072, 4095, 4096}) {
    const BignumPtr p = Prime(bits / 2), q = Prime(bits - bits / 2);
    EXPECT_EQ(HasClosePrimes(Product(p.get(), q.get())), false) << bits;
  }
}

// Each thread has numbers of its own.
TEST_F(ClosePrimesTest, ThreadsDoNotMeet) {
  const BignumPtr p = Prime(1024), q = Prime(1024);
  const std::string close = Product(p.get(), PrimeAbove(p.get(), BN_value_one()).get()),
                    sound = Product(p.get(), q.get());
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(HasClosePrimes(close), true);
        EXPECT_EQ(HasClosePrimes(sound), false);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hourglass::ca
