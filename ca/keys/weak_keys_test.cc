#include "ca/keys/weak_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <time.h>

#include <iostream>
#include <string>

#include "ca/keys/close_primes.h"
#include "ca/keys/small_factors.h"
#include "ca/testing/key_numbers.h"
#include "hsm/base/openssl.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

class WeakKeysTest : public KeyNumbers {};

TEST_F(WeakKeysTest, TakesSoundModuli) {
  for (const int bits : {2048, 2049, 2050, 2056, 3072, 4096}) {
    const BignumPtr p = Prime(bits / 2), q = Prime(bits - bits / 2);
    EXPECT_OK(CheckKeyStrength(RsaKey(Product(p.get(), q.get())))) << bits;
  }
}

TEST_F(WeakKeysTest, RefusesRocasFingerprint) {
  for (const unsigned long largest : {701ul, 167ul}) {
    const BignumPtr p = RocaPrime(1024, largest), q = RocaPrime(1024, largest);
    const std::string modulus = Product(p.get(), q.get());
    const absl::Status status = CheckKeyStrength(RsaKey(modulus));
    EXPECT_THAT(status, FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("ROCA"));
  }
}

TEST_F(WeakKeysTest, RefusesSmallFactors) {
  const BignumPtr large = Prime(2040);
  EXPECT_THAT(CheckKeyStrength(RsaKey(Product(large.get(), Number(751).get()))),
              FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
}

TEST_F(WeakKeysTest, RefusesClosePrimes) {
  for (const int bits : {1024, 1025, 1536, 2048}) {
    const BignumPtr p = Prime(bits), near(BN_new());
    BN_lshift(near.get(), BN_value_one(), bits / 2 + 3);
    for (const BIGNUM* distance : {BN_value_one(), static_cast<const BIGNUM*>(near.get())}) {
      const BignumPtr q = PrimeAbove(p.get(), distance);
      EXPECT_THAT(CheckKeyStrength(RsaKey(Product(p.get(), q.get()))),
                  FailsWith(ErrorReason::kKeyWeak, "pkcs10"))
          << bits;
    }
  }
}

TEST_F(WeakKeysTest, RefusesSmallScalars) {
  for (const PublicKeyKind curve : {PublicKeyKind::kEcP256, PublicKeyKind::kEcP384}) {
    const GroupPtr group = Group(curve);
    for (const unsigned long d : {1ul, 2ul, 3ul, 1000ul, 1023ul, 1024ul}) {
      const BignumPtr other(BN_dup(EC_GROUP_get0_order(group.get())));
      BN_sub_word(other.get(), d);
      const std::string small = Point(curve, Number(d).get()), large = Point(curve, other.get());
      EXPECT_THAT(CheckKeyStrength(PublicKey{curve, small, {}, {}}),
                  FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
      EXPECT_THAT(CheckKeyStrength(PublicKey{curve, large, {}, {}}),
                  FailsWith(ErrorReason::kKeyWeak, "pkcs10"));
    }
    const std::string sound = Point(curve, Number(1025).get());
    EXPECT_OK(CheckKeyStrength(PublicKey{curve, sound, {}, {}}));
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
