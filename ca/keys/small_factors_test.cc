#include "ca/keys/small_factors.h"

#include <gtest/gtest.h>

#include <string>

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

}  // namespace
}  // namespace hourglass::ca
