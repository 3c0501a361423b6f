#include "hsm/key/key_type.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass::hsm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The DER public key of a private key made by `openssl genpkey ARGUMENTS`, written as `pkey -pubout
// OPTIONS` does.
std::string PublicKey(std::vector<std::string> genpkey, std::vector<std::string> options = {}) {
  genpkey.insert(genpkey.begin(), {"openssl", "genpkey", "-quiet"});
  const CommandResult key = RunCommand(genpkey);
  EXPECT_EQ(key.exit_code, 0) << key.output;
  std::vector<std::string> pkey = {"openssl", "pkey", "-pubout", "-outform", "DER"};
  pkey.insert(pkey.end(), options.begin(), options.end());
  const CommandResult spki = RunCommand(pkey, key.output);
  EXPECT_EQ(spki.exit_code, 0) << spki.output;
  return spki.output;
}

const std::vector<std::string> kP256 = {"-algorithm", "EC", "-pkeyopt", "group:P-256"};

TEST(KeyTypeTest, NamesAreReversible) {
  for (const KeyType type : kAllKeyTypes) {
    ASSERT_OK_AND_ASSIGN(const KeyType parsed, ParseKeyType(KeyTypeName(type)));
    EXPECT_EQ(parsed, type);
  }
  EXPECT_EQ(KeyTypeName(KeyType::kRsa3072), "rsa-3072");
  EXPECT_THAT(ParseKeyType("EC-P256"), FailsWith(ErrorReason::kFieldInvalid, "key_type"));
  EXPECT_THAT(ParseKeyType(""), FailsWith(ErrorReason::kFieldInvalid, "key_type"));
}

TEST(KeyTypeTest, EveryTypeHasOneNameInTheList) {
  EXPECT_THAT(KeyTypeNames(),
              ElementsAre("ec-p256", "ec-p384", "rsa-2048", "rsa-3072", "rsa-4096"));
  ASSERT_EQ(KeyTypeNames().size(), std::size(kAllKeyTypes));
  for (std::size_t i = 0; i < std::size(kAllKeyTypes); ++i) {
    EXPECT_EQ(KeyTypeNames()[i], KeyTypeName(kAllKeyTypes[i]));
  }
}

TEST(KeyTypeTest, AnotherNameIsToldThoseThatThereAre) {
  EXPECT_THAT(ParseKeyType("dsa-1024").status().message(),
              HasSubstr("must be ec-p256, ec-p384, rsa-2048, rsa-3072 or rsa-4096"));
}

TEST(ParsePublicKeyTest, TellsTheTypeOfWhatTheOpensslCliMade) {
  const std::pair<std::vector<std::string>, KeyType> kCases[] = {
      {kP256, KeyType::kEcP256},
      {{"-algorithm", "EC", "-pkeyopt", "group:P-384"}, KeyType::kEcP384},
      {{"-algorithm", "RSA", "-pkeyopt", "bits:2048"}, KeyType::kRsa2048},
      {{"-algorithm", "RSA", "-pkeyopt", "bits:3072"}, KeyType::kRsa3072},
  };
  for (const auto& [genpkey, type] : kCases) {
    const std::string spki = PublicKey(genpkey);
    ASSERT_OK_AND_ASSIGN(const EvpPkeyPtr key, ParsePublicKey(spki));
    ASSERT_OK_AND_ASSIGN(const KeyType parsed, KeyTypeOf(*key));
    EXPECT_EQ(parsed, type);
    ASSERT_OK_AND_ASSIGN(const std::string encoded, EncodePublicKey(*key));
    EXPECT_EQ(encoded, spki);
  }
}

TEST(ParsePublicKeyTest, RefusesOtherEncodingsOfAGoodKey) {
  ASSERT_OK(ParsePublicKey(PublicKey(kP256)));
  EXPECT_THAT(ParsePublicKey(PublicKey(kP256, {"-ec_conv_form", "compressed"})),
              FailsWith(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(ParsePublicKey(PublicKey(kP256, {"-ec_conv_form", "hybrid"})),
              FailsWith(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(ParsePublicKey(PublicKey(kP256, {"-ec_param_enc", "explicit"})),
              FailsWith(ErrorReason::kKeyUnsupported));
}

TEST(ParsePublicKeyTest, RefusesDamagedKeys) {
  const std::string spki = PublicKey(kP256);
  ASSERT_OK(ParsePublicKey(spki));
  EXPECT_THAT(ParsePublicKey(""), FailsWith(ErrorReason::kKeyInvalid));
  EXPECT_FALSE(ParsePublicKey(spki + '\0').ok());
  for (size_t size = 0; size < spki.size(); ++size) {
    EXPECT_FALSE(ParsePublicKey(spki.substr(0, size)).ok()) << size;
  }
  std::string off_curve = spki;
  off_curve.back() ^= 1;
  EXPECT_THAT(ParsePublicKey(off_curve), FailsWith(ErrorReason::kKeyInvalid));
}

TEST(ParsePublicKeyTest, RefusesOtherKeys) {
  EXPECT_THAT(ParsePublicKey(PublicKey({"-algorithm", "ED25519"})),
              FailsWith(ErrorReason::kKeyUnsupported));
  EXPECT_THAT(ParsePublicKey(PublicKey({"-algorithm", "RSA", "-pkeyopt", "bits:1024"})),
              FailsWith(ErrorReason::kKeyUnsupported));
}

TEST(ParsePublicKeyTest, RefusesRsaNumbersThatCannotBe) {
  const std::string spki = PublicKey({"-algorithm", "RSA", "-pkeyopt", "bits:2048"});
  ASSERT_OK(ParsePublicKey(spki));
  EXPECT_THAT(ParsePublicKey(spki + '\0'), FailsWith(ErrorReason::kKeyInvalid));
  // The key ends in the modulus and in the exponent, 02 03 01 00 01.
  const size_t size = spki.size();
  ASSERT_EQ(spki.substr(size - 5), std::string("\x02\x03\x01\x00\x01", 5));
  std::string even_modulus = spki;
  even_modulus[size - 6] ^= 1;
  EXPECT_THAT(ParsePublicKey(even_modulus), FailsWith(ErrorReason::kKeyInvalid));
  std::string even_exponent = spki;
  even_exponent[size - 1] ^= 1;
  EXPECT_THAT(ParsePublicKey(even_exponent), FailsWith(ErrorReason::kKeyInvalid));
  EXPECT_THAT(ParsePublicKey(PublicKey({"-algorithm", "RSA", "-pkeyopt", "bits:2048", "-pkeyopt",
                                        "rsa_keygen_pubexp:3"})),
              FailsWith(ErrorReason::kKeyInvalid));
  EXPECT_OK(ParsePublicKey(PublicKey(
      {"-algorithm", "RSA", "-pkeyopt", "bits:2048", "-pkeyopt", "rsa_keygen_pubexp:65539"})));
}

TEST(DigestTest, IsTheHashOfTheOpensslCli) {
  const auto hex = [](absl::string_view octets) {
    std::string text;
    for (const unsigned char octet : octets) {
      char pair[3];
      std::snprintf(pair, sizeof(pair), "%02x", octet);
      text += pair;
    }
    return text;
  };
  ASSERT_OK_AND_ASSIGN(const std::string sha256, Digest(KeyType::kRsa2048, "abc"));
  EXPECT_EQ(hex(sha256) + " *stdin\n", RunCommand({"openssl", "sha256", "-r"}, "abc").output);
  ASSERT_OK_AND_ASSIGN(const std::string sha384, Digest(KeyType::kEcP384, "abc"));
  EXPECT_EQ(hex(sha384) + " *stdin\n", RunCommand({"openssl", "sha384", "-r"}, "abc").output);
}

}  // namespace
}  // namespace hourglass::hsm
