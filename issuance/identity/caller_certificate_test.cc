#include "issuance/identity/caller_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/x509.h>

#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "issuance/identity/testing/client_certificate.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;
using testing::ElementsAre;

// Valid from and until these times, as the OpenSSL CLI takes them: `20260102030405Z`.
std::string CertificateOf(const std::string& from, const std::string& until) {
  const TemporaryDirectory directory;
  directory.Write("index", "");
  directory.Write("serial", "01");
  const std::string config = directory.Write(
      "config",
      absl::StrCat("[ca]\ndefault_ca=x\n[x]\ndatabase=", directory.File("index"),
                   "\nserial=", directory.File("serial"), "\nnew_certs_dir=", directory.path(),
                   "\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"));
  Openssl({"req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
           "/CN=client", "-keyout", directory.File("key"), "-out", directory.File("request")});
  Openssl({"ca", "-batch", "-notext", "-selfsign", "-config", config, "-keyfile",
           directory.File("key"), "-in", directory.File("request"), "-startdate", from, "-enddate",
           until, "-out", directory.File("certificate")});
  return ReadFileOrDie(directory.File("certificate"));
}

TEST(CallerCertificateTest, TheHashIsFirstThenTheNamesInTheirOrder) {
  const std::string pem = Certificate(
      "URI:spiffe://Contoso/Broker,DNS:Broker.Contoso.Example,IP:10.0.0.1,"
      "email:broker@contoso.example,DNS:second.example");
  ASSERT_OK_AND_ASSIGN(const CallerCertificate read, ReadCallerCertificate(pem));
  const std::string hash = absl::StrCat("sha256:", absl::AsciiStrToLower(Sha256Of(pem)));
  EXPECT_THAT(read.identities, ElementsAre(hash, "uri:spiffe://Contoso/Broker",
                                           "dns:broker.contoso.example", "dns:second.example"));
  EXPECT_EQ(read.sha256(), hash);
}

// Its common name counts for nothing.
TEST(CallerCertificateTest, WithoutNamesItHasItsHashAlone) {
  const std::string pem = Certificate("", "broker.contoso.example");
  ASSERT_OK_AND_ASSIGN(const CallerCertificate read, ReadCallerCertificate(pem));
  EXPECT_THAT(read.identities,
              ElementsAre(absl::StrCat("sha256:", absl::AsciiStrToLower(Sha256Of(pem)))));
}

// CVE-2009-2408 and its kin: what a name ends with differs by who reads it.
TEST(CallerCertificateTest, NamesOfMoreThanGraphicAsciiAreNoNames) {
  // A subjectAltName of one name with the tag 82, dNSName, or 86, URI, of four octets.
  const auto with = [](const std::string& tag, const std::string& octets) {
    return ReadCallerCertificate(Certificate(absl::StrCat("DER:3006", tag, "04", octets)));
  };
  for (const char* tag : {"82", "86"}) {
    EXPECT_OK(with(tag, "613a217e")) << tag;
    for (const char* octets : {"61006262", "6162620a", "20616262", "6162627f", "616262e9"}) {
      EXPECT_THAT(with(tag, octets), FailsWith(ErrorReason::kCallerUnknown)) << tag << octets;
    }
  }
  // Of names that are not gone by, nothing is asked.
  EXPECT_OK(with("81", "61006262"));
}

TEST(CallerCertificateTest, WhatIsNoCertificateIsRefused) {
  const std::string pem = Certificate("DNS:broker.example");
  ASSERT_OK(ReadCallerCertificate(pem));
  for (const std::string& bad :
       {std::string(), std::string("garbage"), pem.substr(0, pem.size() / 2),
        pem.substr(pem.find('\n') + 1), std::string(1, '\0') + "-----"}) {
    EXPECT_THAT(ReadCallerCertificate(bad), FailsWith(ErrorReason::kCallerUnknown)) << bad;
  }
  // Names that are no SEQUENCE, and one that is cut.
  for (const char* names : {"DER:0400", "DER:300582046162"}) {
    EXPECT_THAT(ReadCallerCertificate(Certificate(names)), FailsWith(ErrorReason::kCallerUnknown))
        << names;
  }
}

TEST(CallerCertificateTest, OfSeveralCertificatesTheFirstIsRead) {
  const std::string leaf = Certificate("DNS:leaf.example");
  ASSERT_OK_AND_ASSIGN(const CallerCertificate read,
                       ReadCallerCertificate(leaf + Certificate("DNS:issuer.example")));
  EXPECT_EQ(NameForLog(read), "dns:leaf.example");
}

TEST(CallerCertificateTest, BothFormsOfTimeAreRead) {
  struct Period {
    const char* from;
    const char* until;
    const char* says;
  };
  // UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5).
  for (const Period& period :
       {Period{"19500101000000Z", "19700101000000Z", "1950-01-01T00:00:00Z 1970-01-01T00:00:00Z"},
        Period{"20240229235959Z", "20491231235959Z", "2024-02-29T23:59:59Z 2049-12-31T23:59:59Z"},
        Period{"20500101000000Z", "99991231235959Z",
               "2050-01-01T00:00:00Z 9999-12-31T23:59:59Z"}}) {
    ASSERT_OK_AND_ASSIGN(const CallerCertificate read,
                         ReadCallerCertificate(CertificateOf(period.from, period.until)));
    EXPECT_EQ(absl::StrCat(TimeText(read.not_before), " ", TimeText(read.not_after)), period.says);
  }
}

TEST(CallerCertificateTest, TheLastSecondOfAPeriodIsWithinIt) {
  ASSERT_OK_AND_ASSIGN(const CallerCertificate read,
                       ReadCallerCertificate(Certificate("DNS:broker.example")));
  EXPECT_EQ(read.not_after - read.not_before, std::chrono::hours(24));
  const std::chrono::microseconds most_of_a_second(999'999);
  EXPECT_OK(CheckPeriod(read, read.not_before));
  EXPECT_OK(CheckPeriod(read, read.not_after + most_of_a_second));
  EXPECT_THAT(CheckPeriod(read, read.not_after + std::chrono::seconds(1)),
              FailsWith(ErrorReason::kCallerCertificateExpired));
  EXPECT_THAT(CheckPeriod(read, read.not_before - std::chrono::microseconds(1)),
              FailsWith(ErrorReason::kCallerCertificateExpired));
}

TEST(CallerCertificateTest, SaysFromWhenAndUntilWhen) {
  CallerCertificate read;
  read.not_before = Timestamp(seconds(1767323045));
  read.not_after = read.not_before + seconds(60);
  EXPECT_THAT(std::string(CheckPeriod(read, read.not_before - seconds(1)).message()),
              testing::HasSubstr("is valid from 2026-01-02T03:04:05Z"));
  EXPECT_THAT(std::string(CheckPeriod(read, read.not_after + seconds(1)).message()),
              testing::HasSubstr("was valid until 2026-01-02T03:05:05Z"));
}

TEST(CallerCertificateTest, TimesAreWrittenInWholeSecondsThatHavePassed) {
  const Timestamp time(seconds(1767323045));
  EXPECT_EQ(TimeText(time), "2026-01-02T03:04:05Z");
  EXPECT_EQ(TimeText(time + microseconds(999'999)), "2026-01-02T03:04:05Z");
  EXPECT_EQ(TimeText(time - microseconds(1)), "2026-01-02T03:04:04Z");
  EXPECT_EQ(TimeText(Timestamp(microseconds(-1))), "1969-12-31T23:59:59Z");
}

TEST(CallerCertificateTest, TheLogHasItsNamesOrElseItsHash) {
  CallerCertificate read;
  read.identities = {"sha256:0a"};
  EXPECT_EQ(NameForLog(read), "sha256:0a");
  read.identities = {"sha256:0a", "dns:one.example", "uri:two"};
  EXPECT_EQ(NameForLog(read), "dns:one.example uri:two");
  read.identities = {"sha256:0a", std::string(256, 'x')};
  EXPECT_EQ(NameForLog(read), std::string(256, 'x'));
  read.identities = {"sha256:0a", std::string(255, 'x'), "y"};
  EXPECT_EQ(NameForLog(read), std::string(255, 'x') + " ");
}

TEST(CallerCertificateTest, ASerialIsWrittenAsInARevocationList) {
  for (const auto& [serial, der] : std::vector<std::pair<std::string, std::string>>{
           {"0", "020100"},
           {"0x7f", "02017f"},
           {"0x80", "02020080"},
           {"0xfedcba9876543210", "020900fedcba9876543210"},
           {"-1", "0201ff"}}) {
    ASSERT_OK_AND_ASSIGN(
        const CallerCertificate read,
        ReadCallerCertificate(Certificate("DNS:a.example", "client", {"-set_serial", serial})));
    EXPECT_EQ(absl::BytesToHexString(read.serial.number), der) << serial;
  }
}

TEST(CallerCertificateTest, ASerialIsOfItsIssuer) {
  ASSERT_OK_AND_ASSIGN(const CallerCertificate one,
                       ReadCallerCertificate(Certificate("", "one", {"-set_serial", "7"})));
  ASSERT_OK_AND_ASSIGN(const CallerCertificate same,
                       ReadCallerCertificate(Certificate("", "one", {"-set_serial", "7"})));
  ASSERT_OK_AND_ASSIGN(const CallerCertificate other,
                       ReadCallerCertificate(Certificate("", "two", {"-set_serial", "7"})));
  EXPECT_EQ(X509_NAME_cmp(one.serial.issuer.get(), same.serial.issuer.get()), 0);
  EXPECT_NE(X509_NAME_cmp(one.serial.issuer.get(), other.serial.issuer.get()), 0);
  EXPECT_EQ(one.serial.number, other.serial.number);
}

}  // namespace
}  // namespace hourglass::issuance
