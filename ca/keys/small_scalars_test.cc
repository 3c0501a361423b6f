#include "ca/keys/small_scalars.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "ca/testing/key_numbers.h"
#include "hsm/base/openssl.h"

namespace hourglass::ca {
namespace {

class SmallScalarsTest : public KeyNumbers {
 protected:
  bool IsSmall(PublicKeyKind curve, const BIGNUM* scalar) {
    return HasSmallScalar(curve, Point(curve, scalar));
  }
};

TEST_F(SmallScalarsTest, SeesThemAndWhatIsAsFarBelowTheOrder) {
  for (const PublicKeyKind curve : {PublicKeyKind::kEcP256, PublicKeyKind::kEcP384}) {
    const GroupPtr group = Group(curve);
    for (const unsigned long d : {1ul, 2ul, 3ul, 1000ul, 1023ul, 1024ul}) {
      const BignumPtr other(BN_dup(EC_GROUP_get0_order(group.get())));
      BN_sub_word(other.get(), d);
      EXPECT_TRUE(IsSmall(curve, Number(d).get())) << d;
      EXPECT_TRUE(IsSmall(curve, other.get())) << d;
    }
    EXPECT_FALSE(IsSmall(curve, Number(1025).get()));
    const BignumPtr scalar(BN_new());
    BN_lshift(scalar.get(), BN_value_one(), EC_GROUP_order_bits(group.get()) - 1);
    EXPECT_TRUE(IsSmall(curve, scalar.get()));
    BN_rand_range(scalar.get(), EC_GROUP_get0_order(group.get()));
    EXPECT_FALSE(IsSmall(curve, scalar.get()));
  }
}

constexpr PublicKeyKind kCurves[] = {PublicKeyKind::kEcP256, PublicKeyKind::kEcP384};

TEST_F(SmallScalarsTest, SeesEveryOneUpToTheLargestAndNoneAfterIt) {
  for (const PublicKeyKind curve : kCurves) {
    for (unsigned long d = 1; d <= kLargestSmallScalar; ++d) {
      EXPECT_TRUE(IsSmall(curve, Number(d).get())) << d;
    }
    for (unsigned long d = kLargestSmallScalar + 1; d < 2048; d += 3) {
      EXPECT_FALSE(IsSmall(curve, Number(d).get())) << d;
    }
  }
}

TEST_F(SmallScalarsTest, SeesEveryPowerOfTwoAndNothingBesideIt) {
  for (const PublicKeyKind curve : kCurves) {
    const GroupPtr group = Group(curve);
    const BIGNUM* const order = EC_GROUP_get0_order(group.get());
    for (int bit = 11; bit < EC_GROUP_order_bits(group.get()); ++bit) {
      const BignumPtr power(BN_new()), other(BN_new());
      BN_lshift(power.get(), BN_value_one(), bit);
      BN_sub(other.get(), order, power.get());
      EXPECT_TRUE(IsSmall(curve, power.get())) << bit;
      EXPECT_TRUE(IsSmall(curve, other.get())) << bit;
      BN_add_word(power.get(), 1);
      EXPECT_FALSE(IsSmall(curve, power.get())) << bit;
      BN_sub_word(power.get(), 2);
      EXPECT_FALSE(IsSmall(curve, power.get())) << bit;
    }
  }
}

// The points 1 and 2 of P-256, as NIST's examples have them (x of k G).
TEST_F(SmallScalarsTest, KnowsThePublishedPoints) {
  const std::string y(32, 'y'),
      x1 = absl::HexStringToBytes(
          "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
  const std::string x2 =
      absl::HexStringToBytes("7cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978");
  EXPECT_TRUE(HasSmallScalar(PublicKeyKind::kEcP256, "\x04" + x1 + y));
  EXPECT_TRUE(HasSmallScalar(PublicKeyKind::kEcP256, "\x04" + x2 + y));
  EXPECT_FALSE(HasSmallScalar(PublicKeyKind::kEcP256, "\x04" + y + x1)) << "x, and not y";
  EXPECT_FALSE(HasSmallScalar(PublicKeyKind::kEcP384,
                              "\x04" + std::string(16, 'x') + x1 + std::string(48, 'y')))
      << "of its own curve";
}

TEST_F(SmallScalarsTest, ThreadsMayAskAtOnce) {
  std::vector<std::thread> threads;
  const std::string small = Point(PublicKeyKind::kEcP384, Number(7).get()),
                    sound = Point(PublicKeyKind::kEcP384, Number(70001).get());
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      EXPECT_TRUE(HasSmallScalar(PublicKeyKind::kEcP384, small));
      EXPECT_FALSE(HasSmallScalar(PublicKeyKind::kEcP384, sound));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace hourglass::ca
