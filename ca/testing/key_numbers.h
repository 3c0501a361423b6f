// How weak generators put the numbers of keys together; the numbers are OpenSSL's.
#ifndef HOURGLASS_CA_TESTING_KEY_NUMBERS_H_
#define HOURGLASS_CA_TESTING_KEY_NUMBERS_H_

#include <gtest/gtest.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include <string>

#include "absl/strings/string_view.h"
#include "ca/keys/public_key.h"
#include "hsm/base/openssl.h"

namespace hourglass::ca {

class KeyNumbers : public testing::Test {
 protected:
  using ContextPtr = OpensslPtr<BN_CTX, BN_CTX_free>;
  using GroupPtr = OpensslPtr<EC_GROUP, EC_GROUP_free>;
  using PointPtr = OpensslPtr<EC_POINT, EC_POINT_free>;

  BignumPtr Number(unsigned long value = 0) {
    BignumPtr number(BN_new());
    BN_set_word(number.get(), value);
    return number;
  }

  // By OpenSSL's division, for what looks for them is under test.
  static bool HasFactorFrom3To751(const BIGNUM* number) {
    for (unsigned long n = 3; n <= 751; n += 2) {
      if (BN_mod_word(number, n) == 0) return true;
    }
    return false;
  }

  // None of the checks looks whether the factors are primes, which takes long to find: they are odd
  // numbers with no small factor.
  BignumPtr Prime(int bits) {
    BignumPtr prime(BN_new());
    do {
      BN_rand(prime.get(), bits, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ODD);
    } while (HasFactorFrom3To751(prime.get()));
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
    } while (HasFactorFrom3To751(prime.get()));
    return prime;
  }

  // The first that is at least `distance` above `prime`.
  BignumPtr PrimeAbove(const BIGNUM* prime, const BIGNUM* distance) {
    BignumPtr next(BN_dup(prime));
    BN_add(next.get(), next.get(), distance);
    if (!BN_is_odd(next.get())) BN_add_word(next.get(), 1);
    while (HasFactorFrom3To751(next.get())) BN_add_word(next.get(), 2);
    return next;
  }

  static PublicKey RsaKey(const std::string& modulus) {
    return PublicKey{PublicKeyKind::kRsa, {}, modulus, absl::string_view("\x01\x00\x01", 3)};
  }

  static GroupPtr Group(PublicKeyKind curve) {
    return GroupPtr(EC_GROUP_new_by_curve_name(
        curve == PublicKeyKind::kEcP256 ? NID_X9_62_prime256v1 : NID_secp384r1));
  }

  // `scalar` times the base point, uncompressed.
  std::string Point(PublicKeyKind curve, const BIGNUM* scalar) {
    const GroupPtr group = Group(curve);
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

}  // namespace hourglass::ca

#endif  // HOURGLASS_CA_TESTING_KEY_NUMBERS_H_
