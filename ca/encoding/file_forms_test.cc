#include "ca/encoding/file_forms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "ca/encoding/pem.h"
#include "tests/support/pkcs10.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::ca {
namespace {

using testing::HasSubstr;

// As iconv writes it.
std::string InUtf16(const std::string& text, const char* encoding) {
  return RunCommand({"iconv", "-f", "UTF-8", "-t", encoding}, text).output;
}

class FileFormsTest : public testing::Test {
 protected:
  const std::string der_ = MakeEcPkcs10();
  const std::string pem_ = EncodePem(kRequestLabel, der_);
};

TEST_F(FileFormsTest, TakesARequestInEveryFormThatIsUnambiguous) {
  const std::string bom = "\xEF\xBB\xBF";
  const std::pair<const char*, std::string> forms[] = {
      {"DER", der_},
      {"PEM", pem_},
      {"PEM with text around it", absl::StrCat("Subject: CN=a\n\n", pem_, "\nthank you\n")},
      {"the older label", EncodePem(kOldRequestLabel, der_)},
      {"CR LF", absl::StrReplaceAll(pem_, {{"\n", "\r\n"}})},
      {"CR alone", absl::StrReplaceAll(pem_, {{"\n", "\r"}})},
      {"a byte order mark", bom + pem_},
      {"ends of lines as two characters", absl::StrReplaceAll(pem_, {{"\n", "\\n"}})},
      {"ends of lines as four characters", absl::StrReplaceAll(pem_, {{"\n", "\\r\\n"}})},
      {"UTF-16 with a byte order mark", InUtf16(pem_, "UTF-16")},
      {"UTF-16, big-endian, with a byte order mark", InUtf16("\xEF\xBB\xBF" + pem_, "UTF-16BE")},
      {"UTF-16 without one", InUtf16(pem_, "UTF-16LE")},
      {"UTF-16, big-endian, without one", InUtf16(pem_, "UTF-16BE")},
      {"bare base64", absl::Base64Escape(der_)},
      {"bare base64 in lines",
       InUtf16(absl::StrReplaceAll(absl::Base64Escape(der_), {{"A", "A\r\n"}}), "UTF-16LE")},
      {"headers",
       absl::StrReplaceAll(pem_, {{"REQUEST-----\nM", "REQUEST-----\nMade-By: me\n\nM"}})},
  };
  for (const auto& [form, octets] : forms) {
    SCOPED_TRACE(form);
    ASSERT_OK_AND_ASSIGN(const std::string request, SoleRequest(octets));
    EXPECT_EQ(absl::BytesToHexString(request), absl::BytesToHexString(der_));
  }
}

TEST_F(FileFormsTest, SaysWhatAFileIsThatIsNoRequest) {
  const TemporaryDirectory directory;
  const std::string key = directory.File("key"), certificate = directory.File("certificate");
  RunCommand({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
              "-nodes", "-subj", "/CN=a", "-keyout", key, "-out", certificate});
  const std::string certificate_pem = ReadFileOrDie(certificate), key_pem = ReadFileOrDie(key);
  const std::string p12 = directory.File("p12"), p7 = directory.File("p7");
  RunCommand({"openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-passout",
              "pass:x", "-out", p12});
  RunCommand({"openssl", "crl2pkcs7", "-nocrl", "-certfile", certificate, "-out", p7});
  const std::pair<std::string, const char*> files[] = {
      {certificate_pem, "it holds a certificate"},
      {key_pem, "it holds a private key"},
      {certificate_pem + key_pem, "it holds a certificate and a private key"},
      {pem_ + pem_, "it holds 2 certificate requests"},
      {ReadFileOrDie(p12), "it holds a PKCS#12 file in DER"},
      {ReadFileOrDie(p7), "it holds a PKCS#7 message"},
      {*DecodePem(certificate_pem, {kCertificateLabel}), "it holds a certificate in DER"},
      {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 me", "it holds an OpenSSH public key"},
      {" \r\n", "it holds nothing"},
      {"", "it holds nothing"},
      {"{}", "octets of no known form"},
      {der_ + "x", "octets of no known form"},
      {pem_.substr(0, pem_.size() - 40), "has no end: is the file cut off?"},
      {absl::StrReplaceAll(pem_, {{"\nM", "\nM*"}}), "is no base64"},
  };
  for (const auto& [octets, words] : files) {
    const auto refused = SoleRequest(octets);
    EXPECT_THAT(refused, FailsWith(ErrorReason::kFieldInvalid)) << words;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr(words));
  }
  // A key beside it is no second request.
  EXPECT_OK(SoleRequest(key_pem + pem_));
}

TEST_F(FileFormsTest, TextOutsideAsciiSurvives) {
  const std::string text = "J\xC3\xB6rg \xE2\x82\xAC \xF0\x9F\x94\x91 abcdefgh";
  EXPECT_EQ(AsText(InUtf16("\xEF\xBB\xBF" + text, "UTF-16LE")), text);
  EXPECT_EQ(AsText(text), text);
  // A surrogate that stands alone is no text.
  const std::string broken("\xFF\xFE\x00\xD8", 4);
  EXPECT_EQ(AsText(broken), broken);
}

TEST(PastedHexadecimalTest, TakesWhatViewersShow) {
  const std::string digits = "00ab12cd";
  for (const char* pasted :
       {"00ab12cd", "00:AB:12:CD", "00 ab 12 cd", "0x00AB12CD", "serial=00AB12CD",
        "Serial Number: 00:ab:12:cd",
        "\xE2\x80\x8E"
        "00 ab 12 cd",
        "00ab12cd\r\n", "SHA256 Fingerprint=00:AB:12:CD", "sha256:00ab12cd", "00-AB-12-CD",
        "00\xC2\xA0"
        "ab\xC2\xA0"
        "12 cd",
        "\xEF\xBB\xBF"
        "00ab12cd"}) {
    EXPECT_EQ(PastedHexadecimal(pasted), digits) << pasted;
  }
  for (const char* other :
       {"", "00ab12cg", "serial=", "issuer=00ab12cd", "00ab12cd 0x", "sha1=00"}) {
    EXPECT_EQ(PastedHexadecimal(other), "") << other;
  }
}

TEST(WhatWasPastedTest, NamesWhatPeopleMixUp) {
  EXPECT_EQ(WhatWasPasted(std::string(40, 'a')), "it has 40, as a SHA-1 fingerprint");
  EXPECT_EQ(WhatWasPasted(std::string(64, 'a')), "it has 64, as a SHA-256 fingerprint");
  EXPECT_EQ(WhatWasPasted("serial=" + std::string(32, '1')), "it has 32, as a serial number");
  EXPECT_EQ(WhatWasPasted("SHA1 Fingerprint=AB:CD"), "it is a SHA-1 fingerprint");
  EXPECT_EQ(WhatWasPasted("MD5 Fingerprint=AB:CD"), "it is an MD5 fingerprint");
  EXPECT_EQ(WhatWasPasted("ab:cd:e"), "it has 5");
  EXPECT_EQ(WhatWasPasted("laptop-1"), "it is no hexadecimal number");
  EXPECT_EQ(WhatWasPasted(""), "it is no hexadecimal number");
}

}  // namespace
}  // namespace hourglass::ca
