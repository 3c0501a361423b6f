#include "issuance/tokens/base64url.h"

#include <gtest/gtest.h>

#include <string>

namespace hourglass::issuance {
namespace {

// RFC 4648 section 10, without the padding.
TEST(Base64UrlTest, KnowsTheVectorsOfTheStandard) {
  const std::pair<const char*, const char*> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [octets, text] : vectors) {
    EXPECT_EQ(EncodeBase64Url(octets), text);
    EXPECT_EQ(DecodeBase64Url(text), octets);
  }
  EXPECT_EQ(DecodeBase64Url("-_-_"), "\xfb\xff\xbf");
}

TEST(Base64UrlTest, EveryOctetComesBack) {
  std::string octets;
  for (int i = 0; i < 256; ++i) {
    octets.push_back(static_cast<char>(i));
    ASSERT_EQ(DecodeBase64Url(EncodeBase64Url(octets)), octets);
  }
}

TEST(Base64UrlTest, ThereIsOneTextForOctets) {
  ASSERT_EQ(DecodeBase64Url("Zg"), "f");
  for (const char* other : {"Zg==", "Zg=", "Zh", "Zv", "Zx", "Z", "Zg\n", " Zg", "Z g", "Zm9v\r\n",
                            "Zm9vZ", "Zm8=", "Zm9", "+_-_", "-/-_", "Zg.", "Z%67", "Zm\xc3\xb6v"}) {
    EXPECT_EQ(DecodeBase64Url(other), std::nullopt) << other;
  }
  EXPECT_EQ(DecodeBase64Url(absl::string_view("Zg\0\0", 4)), std::nullopt);
}

// All last letters: of two octets' three letters 16 are sound, of one octet's two letters 4.
TEST(Base64UrlTest, BitsOfNoOctetAreZero) {
  int of_one = 0, of_two = 0;
  for (int c = 0; c < 256; ++c) {
    of_one += DecodeBase64Url(std::string("Z") + static_cast<char>(c)).has_value() ? 1 : 0;
    of_two += DecodeBase64Url(std::string("Zm") + static_cast<char>(c)).has_value() ? 1 : 0;
  }
  EXPECT_EQ(of_one, 4);
  EXPECT_EQ(of_two, 16);
}

}  // namespace
}  // namespace hourglass::issuance
