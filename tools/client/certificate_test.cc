#include "tools/client/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/client/wording.h"

namespace hourglass::client {
namespace {

using testing::ElementsAre;

class CertificateTest : public testing::Test {
 protected:
  CertificateTest() {
    const CommandResult made = RunCommand(
        {"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-utf8", "-days", "3",
         "-set_serial", "0x00ff0102", "-subj", "/O=A, B/CN=m\xc3\xbcller@contoso.example",
         "-addext", "extendedKeyUsage=clientAuth,1.3.6.1.4.1.311.87,serverAuth", "-keyout",
         directory_.File("key"), "-out", directory_.File("pem")});
    EXPECT_EQ(made.exit_code, 0) << made.output;
    RunCommand({"openssl", "x509", "-in", directory_.File("pem"), "-outform", "DER", "-out",
                directory_.File("der")});
    der_ = ReadFileOrDie(directory_.File("der"));
  }

  TemporaryDirectory directory_;
  std::string der_;
};

TEST_F(CertificateTest, SaysWhatOpensslSays) {
  ASSERT_OK_AND_ASSIGN(const CertificateFacts facts, ReadCertificate(der_));
  EXPECT_EQ(facts.subject, "CN=m\xc3\xbcller@contoso.example,O=A\\, B");
  EXPECT_EQ(facts.issuer, facts.subject);
  EXPECT_EQ(Hex(facts.serial_number), "ff0102");
  EXPECT_EQ(facts.key, "rsa-2048");
  EXPECT_THAT(facts.purposes,
              ElementsAre("client authentication", "conditional access", "1.3.6.1.5.5.7.3.1"));
  EXPECT_TRUE(facts.is_ca);
  EXPECT_EQ(facts.not_after - facts.not_before, absl::Hours(72));
  const std::string dates =
      RunCommand({"openssl", "x509", "-in", directory_.File("pem"), "-noout", "-enddate"}).output;
  EXPECT_EQ(dates, absl::FormatTime("notAfter=%b %e %H:%M:%S %Y GMT\n", facts.not_after,
                                    absl::UTCTimeZone()));
}

TEST_F(CertificateTest, PemIsThatOfOpenssl) {
  EXPECT_EQ(PemOfCertificate(der_), ReadFileOrDie(directory_.File("pem")));
  EXPECT_EQ(*FirstCertificateInPem(absl::StrCat("words before\n", PemOfCertificate(der_))), der_);
}

TEST_F(CertificateTest, WhatIsNoCertificateIsRefused) {
  ASSERT_OK(ReadCertificate(der_));
  EXPECT_THAT(ReadCertificate(""), FailsWith(ErrorReason::kFieldInvalid, "certificate"));
  EXPECT_THAT(ReadCertificate("garbage"), FailsWith(ErrorReason::kFieldInvalid, "certificate"));
  EXPECT_THAT(ReadCertificate(der_ + "x"), FailsWith(ErrorReason::kFieldInvalid, "certificate"));
  EXPECT_THAT(ReadCertificate(der_.substr(0, der_.size() - 1)),
              FailsWith(ErrorReason::kFieldInvalid, "certificate"));
  EXPECT_THAT(FirstCertificateInPem(ReadFileOrDie(directory_.File("key"))),
              FailsWith(ErrorReason::kFieldInvalid, "certificate"));
}

}  // namespace
}  // namespace hourglass::client
