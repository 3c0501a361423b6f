#include "ca/keys/close_primes.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>

#include <string>
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

}  // namespace
}  // namespace hourglass::ca
