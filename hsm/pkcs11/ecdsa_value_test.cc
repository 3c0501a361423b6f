#include "hsm/pkcs11/ecdsa_value.h"

#include <gtest/gtest.h>
#include <openssl/ecdsa.h>
#include <openssl/rand.h>

#include <string>
#include <vector>

#include "hsm/base/openssl.h"

namespace hourglass::hsm {
namespace {

// What OpenSSL makes of the same two numbers.
std::string OpensslValue(const std::string& r, const std::string& s) {
  const auto number = [](const std::string& octets) {
    return BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                     static_cast<int>(octets.size()), nullptr);
  };
  const EcdsaSigPtr value(ECDSA_SIG_new());
  EXPECT_EQ(ECDSA_SIG_set0(value.get(), number(r), number(s)), 1);
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(value.get(), &der);
  EXPECT_GT(size, 0);
  std::string encoded(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return encoded;
}

TEST(EcdsaValueTest, IsWhatOpensslMakesOfRandomNumbers) {
  for (const size_t half : {1, 20, 32, 48, 66}) {
    for (int i = 0; i < 2000; ++i) {
      std::string raw(2 * half, '\0');
      ASSERT_EQ(
          RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(raw.size())),
          1);
      const std::string r = raw.substr(0, half);
      const std::string s = raw.substr(half);
      const std::string zero(half, '\0');
      if (r == zero || s == zero) continue;
      ASSERT_EQ(EncodeEcdsaValue(raw), OpensslValue(r, s));
    }
  }
}

// Every count of leading zero octets, before an octet whose first bit is set or clear.
TEST(EcdsaValueTest, IsWhatOpensslMakesOfEdges) {
  for (const size_t half : {1, 32, 48, 66}) {
    std::vector<std::string> numbers;
    for (size_t zeros = 0; zeros < half; ++zeros) {
      for (const char first : {'\x01', '\x7f', '\x80', '\xff'}) {
        for (const char rest : {'\0', '\xff'}) {
          numbers.push_back(std::string(zeros, '\0') + first + std::string(half - zeros - 1, rest));
        }
      }
    }
    for (const std::string& r : numbers) {
      for (const std::string& s : {numbers.front(), numbers.back(), r}) {
        ASSERT_EQ(EncodeEcdsaValue(r + s), OpensslValue(r, s));
        ASSERT_EQ(EncodeEcdsaValue(s + r), OpensslValue(s, r));
      }
    }
  }
}

TEST(EcdsaValueTest, ZeroAndOtherSizesAreNoSignature) {
  const std::string some(32, '\x11');
  const std::string zero(32, '\0');
  EXPECT_NE(EncodeEcdsaValue(some + some), std::nullopt);
  EXPECT_EQ(EncodeEcdsaValue(zero + some), std::nullopt);
  EXPECT_EQ(EncodeEcdsaValue(some + zero), std::nullopt);
  EXPECT_EQ(EncodeEcdsaValue(zero + zero), std::nullopt);
  EXPECT_EQ(EncodeEcdsaValue(""), std::nullopt);
  EXPECT_EQ(EncodeEcdsaValue("x"), std::nullopt);
  EXPECT_EQ(EncodeEcdsaValue(some + some + "x"), std::nullopt);
  EXPECT_EQ(EncodeEcdsaValue(std::string(134, 'x')), std::nullopt);
}

}  // namespace
}  // namespace hourglass::hsm
