#include "ca/pem.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/subprocess.h"

namespace hourglass::ca {
namespace {

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

TEST(PemTest, PassesOverBlocksWithHeaders) {
  const std::string encrypted =
      "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: "
      "AES-128-CBC,00\n\nb25l\n-----END CERTIFICATE-----\n";
  EXPECT_EQ(DecodePem(encrypted, {kCertificateLabel}), std::nullopt);
}

}  // namespace
}  // namespace hourglass::ca
