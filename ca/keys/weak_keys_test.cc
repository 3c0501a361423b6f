#include "ca/keys/weak_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <time.h>

#include <iostream>
#include <string>
#include <vector>

#include "ca/keys/close_primes.h"
#include "ca/keys/small_factors.h"
#include "ca/keys/small_scalars.h"
#include "hsm/base/openssl.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

using ContextPtr = OpensslPtr<BN_CTX, BN_CTX_free>;
using GroupPtr = OpensslPtr<EC_GROUP, EC_GROUP_free>;
using PointPtr = OpensslPtr<EC_POINT, EC_POINT_free>;

// Numbers are OpenSSL's; what is computed here is how weak generators put them together.
class WeakKeysTest : public testing::Test {
 protected:
  BignumPtr Number(unsigned long value = 0) {
    BignumPtr number(BN_new());
    BN_set_word(number.get(), value);
    return number;
  }

  // None of the checks looks whether the factors are primes, which takes long to find: they are odd
  // numbers with no small factor.
  BignumPtr Prime(int bits) {
    BignumPtr prime(BN_new());
    do {
      BN_rand(prime.get(), bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
    } while (LookAtSmallPrimes(Octets(prime.get())) != SmallPrimesFinding::kNone);
    return prime;
  }

  bool IsPrime(const BIGNUM* number) {
    return BN_check_prime(number, context_.get(), nullptr) == 1;
  }

  std::string Product(const BIGNUM* a, const BIGNUM* b) {
    const BignumPtr product(BN_new());
    EXPECT_EQ(BN_mul(product.get(), a, b, context_.get()), 1);
    return Octets(product.get());
  }

  static std::string Octets(const BIGNUM* number) {
    std::string octets(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
    BN_bn2bin(number, reinterpret_cast<unsigned char*>(octets.data()));
    return octets;
  }

  // k M + (65537^a mod M), where M is the product of the primes up to `largest`.
  BignumPtr RocaPrime(int bits, unsigned long largest) {
    const BignumPtr m = Number(2), generator = Number(65537);
    for (unsigned long n = 3; n <= largest; n += 2) {
      if (IsPrime(Number(n).get())) BN_mul_word(m.get(), n);
    }
    BignumPtr prime(BN_new());
    const BignumPtr a(BN_new());
    do {
      BN_rand(a.get(), 200, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY);
      BN_rand(prime.get(), bits - BN_num_bits(m.get()) + 1, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY);
      BN_mul(prime.get(), prime.get(), m.get(), context_.get());
      BN_mod_exp(a.get(), generator.get(), a.get(), m.get(), context_.get());
      BN_add(prime.get(), prime.get(), a.get());
    } while (LookAtSmallPrimes(Octets(prime.get())) == SmallPrimesFinding::kFactor);
    return prime;
  }

  // The first that is at least `distance` above `prime`.
  BignumPtr PrimeAbove(const BIGNUM* prime, const BIGNUM* distance) {
    BignumPtr next(BN_dup(prime));
    BN_add(next.get(), next.get(), distance);
    if (!BN_is_odd(next.get())) BN_add_word(next.get(), 1);
    while (LookAtSmallPrimes(Octets(next.get())) != SmallPrimesFinding::kNone) {
      BN_add_word(next.get(), 2);
    }
    return next;
  }

  static PublicKey RsaKey(const std::string& modulus) {
    return PublicKey{PublicKeyKind::kRsa, {}, modulus, absl::string_view("\x01\x00\x01", 3)};
  }

  std::string Point(PublicKeyKind curve, const BIGNUM* scalar) {
    const GroupPtr group(EC_GROUP_new_by_curve_name(
        curve == PublicKeyKind::kEcP256 ? NID_X9_62_prime256v1 : NID_secp384r1));
    const PointPtr point(EC_POINT_new(group.get()));
    EXPECT_EQ(EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, context_.get()), 1);
    std::string octets(curve == PublicKeyKind::kEcP256 ? 65 : 97, '\0');
    EXPECT_EQ(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED,
                                 reinterpret_cast<unsigned char*>(octets.data()), octets.size(),
                                 context_.get()),
              octets.size());
    return octets;
  }

  ContextPtr context_{BN_CTX_new()};
};

TEST_F(WeakKeysTest, TakesSoundModuli) {
  for (const int bits : {2048, 2049, 2050, 2056, 3072, 4096}) {
    const BignumPtr p = Prime(bits / 2), q = Prime(bits - bits / 2);
    EXPECT_OK(CheckKeyStrength(RsaKey(Product(p.get(), q.get())))) << bits;
  }
}

TEST_F(WeakKeysTest, RefusesRocasFingerprint) {
  // As the generator makes primes of 1024 bits, and with as few primes as all its sizes share.
  for (const unsigned long largest : {701ul, 167ul}) {
    const BignumPtr p = RocaPrime(1024, largest), q = RocaPrime(1024, largest);
    const std::string modulus = Product(p.get(), q.get());
    EXPECT_EQ(LookAtSmallPrimes(modulus), SmallPrimesFinding::kRocaFingerprint) << largest;
    const absl::Status status = CheckKeyStrength(RsaKey(modulus));
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("ROCA"));
    // One prime of them is no fingerprint.
    const BignumPtr sound = Prime(1024);
    EXPECT_EQ(LookAtSmallPrimes(Product(p.get(), sound.get())), SmallPrimesFinding::kNone);
  }
}

TEST_F(WeakKeysTest, RefusesSmallFactors) {
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
  EXPECT_THAT(CheckKeyStrength(RsaKey(Product(large.get(), Number(751).get()))),
              FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
}

TEST_F(WeakKeysTest, RefusesClosePrimes) {
  for (const int bits : {1024, 1025, 1536, 2048}) {
    SCOPED_TRACE(bits);
    const BignumPtr p = Prime(bits), near(BN_new()), far(BN_new());
    // 2^(bits/2 + 3) apart they are found in some ten rounds, and 2^(bits/2 + 6) apart not in a
    // hundred.
    BN_lshift(near.get(), BN_value_one(), bits / 2 + 3);
    BN_lshift(far.get(), BN_value_one(), bits / 2 + 6);
    for (const BIGNUM* distance : std::vector<const BIGNUM*>{BN_value_one(), near.get()}) {
      const BignumPtr q = PrimeAbove(p.get(), distance);
      const std::string modulus = Product(p.get(), q.get());
      EXPECT_EQ(HasClosePrimes(modulus), true);
      EXPECT_THAT(CheckKeyStrength(RsaKey(modulus)), FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
    }
    const BignumPtr q = PrimeAbove(p.get(), far.get());
    EXPECT_EQ(HasClosePrimes(Product(p.get(), q.get())), false);
    EXPECT_EQ(HasClosePrimes(Product(p.get(), p.get())), true);
  }
}

// (a - b)(a + b) is found in the round in which a is tried, and in no later one.
TEST_F(WeakKeysTest, LooksAtAHundredRounds) {
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

TEST_F(WeakKeysTest, RefusesSmallScalars) {
  for (const PublicKeyKind curve : {PublicKeyKind::kEcP256, PublicKeyKind::kEcP384}) {
    const GroupPtr group(EC_GROUP_new_by_curve_name(
        curve == PublicKeyKind::kEcP256 ? NID_X9_62_prime256v1 : NID_secp384r1));
    const auto is_weak = [&](const BIGNUM* scalar) {
      const std::string point = Point(curve, scalar);
      const absl::Status status = CheckKeyStrength(PublicKey{curve, point, {}, {}});
      if (status.ok()) return false;
      EXPECT_THAT(status, FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
      return true;
    };
    for (const unsigned long d : {1ul, 2ul, 3ul, 1000ul, 1023ul, 1024ul}) {
      const BignumPtr scalar = Number(d), other(BN_dup(EC_GROUP_get0_order(group.get())));
      BN_sub_word(other.get(), d);
      EXPECT_TRUE(is_weak(scalar.get())) << d;
      EXPECT_TRUE(is_weak(other.get())) << d;
    }
    EXPECT_FALSE(is_weak(Number(1025).get()));
    const BignumPtr scalar(BN_new());
    BN_lshift(scalar.get(), BN_value_one(), EC_GROUP_order_bits(group.get()) - 1);
    EXPECT_TRUE(is_weak(scalar.get()));
    BN_rand_range(scalar.get(), EC_GROUP_get0_order(group.get()));
    EXPECT_FALSE(is_weak(scalar.get()));
  }
}

// Of this thread, in microseconds.
double CpuTime() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

// Prints what it costs beside what verifying a signature does; nothing is asserted of that.
TEST_F(WeakKeysTest, PrintsItsCost) {
  for (const int bits : {2048, 3072, 4096}) {
    const BignumPtr p = Prime(bits / 2), q = Prime(bits / 2);
    const std::string modulus = Product(p.get(), q.get());
    const BignumPtr n(BN_bin2bn(reinterpret_cast<const unsigned char*>(modulus.data()),
                                static_cast<int>(modulus.size()), nullptr));
    const BignumPtr e = Number(65537), result(BN_new());
    const auto time = [&](auto work) {
      constexpr int kTimes = 2000;
      const double start = CpuTime();
      for (int i = 0; i < kTimes; ++i) work();
      return (CpuTime() - start) / kTimes;
    };
    const double verification = time([&] {
      EXPECT_EQ(BN_mod_exp_mont(result.get(), p.get(), e.get(), n.get(), context_.get(), nullptr),
                1);
    });
    const double small =
        time([&] { EXPECT_EQ(LookAtSmallPrimes(modulus), SmallPrimesFinding::kNone); });
    const double close = time([&] { EXPECT_EQ(HasClosePrimes(modulus), false); });
    std::cout << "RSA-" << bits << ": small primes " << small << " us, close primes " << close
              << " us, beside a public operation of " << verification << " us\n";
  }
}

}  // namespace
}  // namespace hourglass::ca
