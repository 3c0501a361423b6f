#include "ca/testing/fixed_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "hsm/key/signature.h"
#include "tests/support/status_matchers.h"

namespace hourglass::ca {
namespace {

// The private key of RFC 6979 section A.2.5.
constexpr char kRfc6979Key[] = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgya+p2EW6dRZrXCFX
Z7HWk05Qw9s26JsSe4piKxIPZyGhRANCAARg/tS6JVqdMclh63TGNW1owEm4kjth
+mzmaWIuYPKftnkD/hAIuLyZpBrp6VYovGTy8bIMLX6fUXejwpTURiKZ
-----END PRIVATE KEY-----
)";

// By an HMAC_DRBG in Python, which got the SHA-256 of the seed.
TEST(FixedKeyTest, OctetsAreThoseOfTheGeneratorOfSp800Dash90A) {
  EXPECT_EQ(absl::BytesToHexString(FixedOctets("contoso", 40)),
            "3dcde9fa367b8838401c6871f134fe441532c5533d7629629b2c3a0ca78f52f21bd1c46f2246bc37");
  EXPECT_NE(FixedOctets("fabrikam", 40), FixedOctets("contoso", 40));
}

TEST(FixedKeyTest, SignaturesAreThoseOfRfc6979) {
  const auto key = DeterministicKey(kRfc6979Key);
  ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign("sample"));
  EXPECT_EQ(absl::BytesToHexString(signature),
            "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
            "022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  ASSERT_OK_AND_ASSIGN(const std::string other, key->Sign("test"));
  EXPECT_NE(other, signature);
}

TEST(FixedKeyTest, EveryTypeSignsWhatOpensslVerifies) {
  for (const hsm::KeyType type :
       {hsm::KeyType::kEcP256, hsm::KeyType::kEcP384, hsm::KeyType::kRsa2048}) {
    const std::string pem = FixedPrivateKeyPem(type, "contoso");
    EXPECT_EQ(FixedPrivateKeyPem(type, "contoso"), pem);
    const auto key = DeterministicKey(pem), same = DeterministicKey(pem);
    EXPECT_EQ(key->type(), type);
    ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign("what was checked"));
    ASSERT_OK_AND_ASSIGN(const std::string again, same->Sign("what was checked"));
    EXPECT_EQ(again, signature);
    ASSERT_OK_AND_ASSIGN(const auto verifying, hsm::VerifyingKey::FromPublicKey(key->public_key()));
    EXPECT_OK(verifying.Verify("what was checked", signature));
    EXPECT_FALSE(verifying.Verify("what was not", signature).ok());
  }
}

TEST(FixedKeyTest, OutOfServiceItSignsNothing) {
  const auto key = DeterministicKey(kRfc6979Key);
  EXPECT_OK(key->Sign("sample").status());
  key->TakeOutOfService();
  EXPECT_THAT(key->Sign("sample"), FailsWith(ErrorReason::kKeyMismatch, "fixed key"));
}

}  // namespace
}  // namespace hourglass::ca
