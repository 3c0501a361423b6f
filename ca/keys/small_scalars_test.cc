#include "ca/keys/small_scalars.h"

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>

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

}  // namespace
}  // namespace hourglass::ca
