#include "ca/encoding/pem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"

namespace hourglass::ca {
namespace {

using testing::HasSubstr;

TEST(PemTest, WritesWhatOpensslWrites) {
  const std::string pem =
      RunCommand({"openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                  "-nodes", "-keyout", "/dev/null", "-subj", "/CN=a", "-outform", "PEM"})
          .output;
  const std::string block = pem.substr(pem.find("-----BEGIN CERTIFICATE REQUEST"));
  const std::optional<std::string> der = DecodePem(pem, {kRequestLabel});
  ASSERT_TRUE(der.has_value());
  EXPECT_EQ(EncodePem(kRequestLabel, *der), block);
}

TEST(PemTest, FindsTheFirstBlockWithTheLabel) {
  const std::string text =
      absl::StrCat("words\n", EncodePem("OTHER", "zero"), EncodePem(kCertificateLabel, "one"),
                   EncodePem(kCertificateLabel, "two"));
  EXPECT_EQ(DecodePem(text, {kCertificateLabel}), "one");
  EXPECT_EQ(DecodePem(text, {kOldRequestLabel, "OTHER"}), "zero");
  EXPECT_EQ(DecodePem(text, {kRequestLabel}), std::nullopt);
  EXPECT_EQ(DecodePem("", {kRequestLabel}), std::nullopt);
}

TEST(PemTest, AMalformedBlockBehindTheFirstIsOfNoMatter) {
  const std::string sound = EncodePem(kCertificateLabel, "one");
  const std::string broken = "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n";
  const std::string cut = "-----BEGIN CERTIFICATE-----\nb25l\n";
  for (const std::string& malformed : {broken, cut}) {
    EXPECT_EQ(DecodePem(sound + malformed, {kCertificateLabel}), "one");
    EXPECT_EQ(DecodePem(malformed + sound, {kCertificateLabel}), std::nullopt);
    EXPECT_FALSE(PemBlocks(sound + malformed).ok());
  }
}

TEST(PemTest, GivesEveryBlock) {
  const std::string text = absl::StrCat(
      "words\r\n", absl::StrReplaceAll(EncodePem("A", std::string(100, 'a')), {{"\n", "\r\n"}}),
      "-----BEGIN B-----\nKey: value\n more: of it\n\nb25l\n-----END B-----\n", EncodePem("A", ""));
  const auto blocks = PemBlocks(text);
  ASSERT_TRUE(blocks.ok());
  ASSERT_EQ(blocks->size(), 3U);
  EXPECT_EQ((*blocks)[0].octets, std::string(100, 'a'));
  EXPECT_FALSE((*blocks)[0].has_headers);
  EXPECT_EQ((*blocks)[1].label, "B");
  EXPECT_EQ((*blocks)[1].octets, "one");
  EXPECT_TRUE((*blocks)[1].has_headers);
  EXPECT_EQ((*blocks)[2].octets, "");
}

TEST(PemTest, SaysWhichBlockIsBroken) {
  const std::string sound = EncodePem("A", "one");
  ASSERT_OK(PemBlocks(sound));
  const std::pair<std::string, std::string> kBroken[] = {
      {"-----BEGIN B\n", "a PEM block has a broken first line"},
      {"-----BEGIN B", "a PEM block has a broken first line"},
      {"-----BEGIN B-----\nb25l\n", "the PEM block `B` has no end: is the file cut off?"},
      {"-----BEGIN B-----\nb25l\n-----END A-----\n",
       "the PEM block `B` has no end: is the file cut off?"},
      {"-----BEGIN B-----\nb2*l\n-----END B-----\n", "the PEM block `B` is no base64"},
  };
  for (const auto& [broken, words] : kBroken) {
    const auto blocks = PemBlocks(sound + broken);
    EXPECT_THAT(blocks, FailsWith(ErrorReason::kFieldInvalid, "")) << broken;
    EXPECT_THAT(std::string(blocks.status().message()), HasSubstr(words));
    EXPECT_EQ(DecodePem(sound + broken, {"A"}), "one");
    EXPECT_EQ(DecodePem(broken + sound, {"A"}), std::nullopt) << broken;
  }
}

TEST(PemTest, PassesOverBlocksWithHeaders) {
  const std::string encrypted =
      "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
      "AES-128-CBC,00\n\nb25l\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(DecodePem(encrypted, {kCertificateLabel}), std::nullopt);
}

}  // namespace
}  // namespace hourglass::ca
