#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "ca/testing/test_ca.h"
#include "hsm/key/key_type.h"
#include "tests/support/pkcs10.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using hsm::KeyType;
using testing::EndsWith;
using testing::HasSubstr;

constexpr char kUpn[] = "alice@contoso.example";
constexpr char kSid[] = "S-1-5-21-1-2-3-1105";
constexpr char kRootName[] = "Contoso VPN root CA gen 1";
constexpr char kServerAuth[] = "1.3.6.1.5.5.7.3.1";
constexpr char kConditionalAccess[] = "1.3.6.1.4.1.311.87";

// What a tool printed, with all white space in one width.
std::string Squeezed(absl::string_view text) {
  return absl::StrJoin(absl::StrSplit(text, absl::ByAnyChar(" \t\n"), absl::SkipEmpty()), " ");
}

std::string Printed(const std::vector<std::string>& command) {
  return Squeezed(RunCommand(command).output);
}

std::string Formatted(ca::Time time, const char* format) {
  const time_t seconds = static_cast<time_t>(time.time_since_epoch().count());
  tm parts;
  gmtime_r(&seconds, &parts);
  char buffer[64];
  return Squeezed(std::string(buffer, strftime(buffer, sizeof(buffer), format, &parts)));
}

std::string Hex(const std::string& octets) { return absl::BytesToHexString(octets); }

// `de:ad:be:ef`.
std::string Colons(const std::string& octets) {
  return absl::StrJoin(
      octets, ":", [](std::string* out, char octet) { out->append(Hex(std::string(1, octet))); });
}

std::string Upper(const std::string& text) { return absl::AsciiStrToUpper(text); }

std::vector<std::string> KeyOptions(KeyType type) {
  if (!hsm::IsEc(type)) return {"-newkey", absl::StrCat("rsa:", hsm::KeyBits(type))};
  return {"-newkey", "ec", "-pkeyopt", absl::StrCat("ec_paramgen_curve:P-", hsm::KeyBits(type))};
}

// Over the types of the root's key and of the leaf's. The certificates are of now, because not
// every tool can be told another time.
class ReadbackTest : public testing::TestWithParam<std::tuple<KeyType, KeyType>> {
 protected:
  ReadbackTest()
      : ca_({.root_key_type = std::get<0>(GetParam()), .profile = {.sid_uri = true}}),
        leaf_(
            *ca_.IssueForRequest(kUpn, MakePkcs10(KeyOptions(std::get<1>(GetParam()))), "", kSid)),
        root_file_(directory_.Write("root.pem", ca_.root_pem())),
        leaf_file_(directory_.Write("leaf.pem", leaf_.certificate_pem)),
        other_root_file_(directory_.Write("other.pem", ca::TestCa().root_pem())),
        root_key_id_(ca_.root().key_identifier()) {}

  bool RootIsEc() const { return hsm::IsEc(std::get<0>(GetParam())); }
  ca::Time LeafBegin() const { return ca_.now() - std::chrono::minutes(5); }
  ca::Time LeafEnd() const { return ca_.now() + std::chrono::minutes(60); }
  ca::Time RootBegin() const { return ca_.now() - std::chrono::hours(1); }
  ca::Time RootEnd() const { return ca_.now() + std::chrono::days(365); }

  // The leaf's subject key identifier as OpenSSL reads it, `FB:4E:…`; that it is the key's hash is
  // certificate_template_test's business.
  std::string LeafKeyId() const {
    const std::string text =
        Printed({"openssl", "x509", "-in", leaf_file_, "-noout", "-ext", "subjectKeyIdentifier"});
    return text.substr(text.rfind(' ') + 1);
  }

  // A new NSS database that trusts `root_file` for clients and holds the leaf.
  std::string NssDatabase(const std::string& name, const std::string& root_file) const {
    const std::string path = absl::StrCat("sql:", directory_.File(name));
    RunCommand({"mkdir", directory_.File(name)});
    RunCommand({"certutil", "-N", "-d", path, "--empty-password"});
    RunCommand({"certutil", "-A", "-d", path, "-n", "root", "-t", "CT,,", "-a", "-i", root_file});
    RunCommand({"certutil", "-A", "-d", path, "-n", "leaf", "-t", ",,", "-a", "-i", leaf_file_});
    return path;
  }

  TemporaryDirectory directory_;
  ca::TestCa ca_;
  ca::TestCertificate leaf_;
  std::string root_file_, leaf_file_, other_root_file_;
  std::string root_key_id_;
};

TEST_P(ReadbackTest, OpensslReadsTheLeaf) {
  const std::string text = Printed({"openssl", "x509", "-in", leaf_file_, "-noout", "-text"});
  EXPECT_THAT(
      text,
      HasSubstr(absl::StrCat(
          "Version: 3 (0x2) Serial Number: ", Colons(leaf_.serial_number), " Signature Algorithm: ",
          RootIsEc() ? std::get<0>(GetParam()) == KeyType::kEcP256 ? "ecdsa-with-SHA256"
                                                                   : "ecdsa-with-SHA384"
                     : "sha256WithRSAEncryption",
          " Issuer: CN = ", kRootName,
          " Validity Not Before: ", Formatted(LeafBegin(), "%b %e %H:%M:%S %Y GMT"),
          " Not After : ", Formatted(LeafEnd(), "%b %e %H:%M:%S %Y GMT"), " Subject: CN = ", kUpn,
          " Subject Public Key Info:")));
  EXPECT_THAT(text,
              HasSubstr(absl::StrCat(
                  "X509v3 extensions: X509v3 Basic Constraints: critical CA:FALSE "
                  "X509v3 Key Usage: critical Digital Signature "
                  "X509v3 Extended Key Usage: TLS Web Client Authentication, 1.3.6.1.4.1.311.87 "
                  "X509v3 Subject Alternative Name: othername: UPN::",
                  kUpn, ", URI:tag:microsoft.com,2022-09-14:sid:", kSid,
                  " X509v3 Subject Key Identifier: ", LeafKeyId(),
                  " X509v3 Authority Key Identifier: ", Upper(Colons(root_key_id_)),
                  " X509v3 No Revocation Available: .. 1.3.6.1.4.1.311.25.2: ")));
}

TEST_P(ReadbackTest, OpensslReadsTheRoot) {
  const std::string text = Printed({"openssl", "x509", "-in", root_file_, "-noout", "-text"});
  EXPECT_THAT(text, HasSubstr(absl::StrCat(
                        "Issuer: CN = ", kRootName,
                        " Validity Not Before: ", Formatted(RootBegin(), "%b %e %H:%M:%S %Y GMT"),
                        " Not After : ", Formatted(RootEnd(), "%b %e %H:%M:%S %Y GMT"),
                        " Subject: CN = ", kRootName)));
  EXPECT_THAT(text, HasSubstr(absl::StrCat(
                        "X509v3 extensions: X509v3 Basic Constraints: critical CA:TRUE, pathlen:0 "
                        "X509v3 Key Usage: critical Certificate Sign "
                        "X509v3 Subject Key Identifier: ",
                        Upper(Colons(root_key_id_)), " Signature Algorithm:")));
}

TEST_P(ReadbackTest, OpensslVerifies) {
  const auto verify = [this](const std::string& root, ca::Time at, const std::string& purpose) {
    return Printed({"openssl", "verify", "-x509_strict", "-purpose", purpose, "-attime",
                    absl::StrCat(at.time_since_epoch().count()), "-CAfile", root, leaf_file_});
  };
  // The last second is valid by RFC 5280 section 4.1.2.5, but not to OpenSSL.
  for (const ca::Time at : {LeafBegin(), ca_.now(), LeafEnd() - std::chrono::seconds(1)}) {
    EXPECT_THAT(verify(root_file_, at, "sslclient"), EndsWith(": OK"));
  }
  EXPECT_THAT(verify(root_file_, LeafBegin() - std::chrono::seconds(1), "sslclient"),
              HasSubstr("error 9 at 0 depth lookup: certificate is not yet valid"));
  EXPECT_THAT(verify(root_file_, LeafEnd() + std::chrono::seconds(1), "sslclient"),
              HasSubstr("error 10 at 0 depth lookup: certificate has expired"));
  EXPECT_THAT(verify(root_file_, ca_.now(), "sslserver"),
              HasSubstr("error 26 at 0 depth lookup: unsuitable certificate purpose"));
  EXPECT_THAT(verify(other_root_file_, ca_.now(), "sslclient"),
              HasSubstr("error 20 at 0 depth lookup"));
}

TEST_P(ReadbackTest, GnutlsReadsTheLeaf) {
  const std::string text = Printed({"certtool", "-i", "--infile", leaf_file_});
  EXPECT_THAT(
      text, HasSubstr(absl::StrCat("Version: 3 Serial Number (hex): ", Hex(leaf_.serial_number),
                                   " Issuer: CN=", kRootName, " Validity: Not Before: ",
                                   Formatted(LeafBegin(), "%a %b %d %H:%M:%S UTC %Y"),
                                   " Not After: ", Formatted(LeafEnd(), "%a %b %d %H:%M:%S UTC %Y"),
                                   " Subject: CN=", kUpn)));
  const std::string sid_octets =
      absl::StrCat("3025a023060a2b060104018237190201a0150413", Hex(kSid));
  EXPECT_THAT(text,
              HasSubstr(absl::StrCat(
                  "Extensions: Basic Constraints (critical): Certificate Authority (CA): FALSE "
                  "Key Usage (critical): Digital signature. "
                  "Key Purpose (not critical): TLS WWW Client. 1.3.6.1.4.1.311.87 "
                  "Subject Alternative Name (not critical): User Principal Name: ",
                  kUpn, " URI: tag:microsoft.com,2022-09-14:sid:", kSid,
                  " Subject Key Identifier (not critical): ",
                  absl::AsciiStrToLower(absl::StrReplaceAll(LeafKeyId(), {{":", ""}})),
                  " Authority Key Identifier (not critical): ", Hex(root_key_id_),
                  " Unknown extension 2.5.29.56 (not critical): ASCII: .. Hexdump: 0500 "
                  "Unknown extension 1.3.6.1.4.1.311.25.2 (not critical): ASCII: ")));
  EXPECT_THAT(text, HasSubstr(absl::StrCat("Hexdump: ", sid_octets, " Signature Algorithm: ")));
}

TEST_P(ReadbackTest, GnutlsReadsTheRoot) {
  EXPECT_THAT(Printed({"certtool", "-i", "--infile", root_file_}),
              HasSubstr(absl::StrCat(
                  "Extensions: Basic Constraints (critical): Certificate Authority (CA): TRUE "
                  "Path Length Constraint: 0 Key Usage (critical): Certificate signing. "
                  "Subject Key Identifier (not critical): ",
                  Hex(root_key_id_), " Signature Algorithm:")));
}

// The one stock tool that enforces the conditional-access purpose by itself.
TEST_P(ReadbackTest, GnutlsVerifies) {
  const auto verify = [this](const std::string& root, const std::string& purpose) {
    return Printed({"certtool", "--verify", "--infile", leaf_file_, "--load-ca-certificate", root,
                    "--verify-purpose", purpose});
  };
  EXPECT_THAT(verify(root_file_, kConditionalAccess),
              HasSubstr("Verified. The certificate is trusted."));
  EXPECT_THAT(verify(root_file_, kServerAuth), HasSubstr("does not match the intended purpose"));
  EXPECT_THAT(verify(other_root_file_, kConditionalAccess), HasSubstr("Not verified."));
}

TEST_P(ReadbackTest, NssReadsBoth) {
  const std::string database = NssDatabase("nss", root_file_);
  const std::string leaf = Printed({"certutil", "-L", "-d", database, "-n", "leaf"});
  EXPECT_THAT(leaf, HasSubstr(absl::StrCat("Version: 3 (0x2) Serial Number: ",
                                           Colons(leaf_.serial_number))));
  EXPECT_THAT(leaf, HasSubstr(absl::StrCat(
                        "Issuer: \"CN=", kRootName,
                        "\" Validity: Not Before: ", Formatted(LeafBegin(), "%a %b %d %H:%M:%S %Y"),
                        " Not After : ", Formatted(LeafEnd(), "%a %b %d %H:%M:%S %Y"),
                        " Subject: \"CN=", kUpn, "\"")));
  EXPECT_THAT(
      leaf,
      HasSubstr(absl::StrCat(
          "Signed Extensions: Name: Certificate Basic Constraints Critical: True Data: Is not a "
          "CA. "
          "Name: Certificate Key Usage Critical: True Usages: Digital Signature "
          "Name: Extended Key Usage TLS Web Client Authentication Certificate "
          "OID.1.3.6.1.4.1.311.87 "
          "Name: Certificate Subject Alt Name Other Name: \"",
          kUpn, "\" OID: Microsoft NT Principal Name URI: \"tag:microsoft.com,2022-09-14:sid:",
          kSid, "\"")));
  EXPECT_THAT(leaf, HasSubstr(absl::StrCat(
                        "Name: OID.2.5.29.56 Data: NULL Name: OID.1.3.6.1.4.1.311.25.2 Data: "
                        "Sequence { [0]: { OID.1.3.6.1.4.1.311.25.2.1 [0]: { ",
                        kSid, " } } } Signature Algorithm:")));
  EXPECT_THAT(
      Printed({"certutil", "-L", "-d", database, "-n", "root"}),
      HasSubstr("Name: Certificate Basic Constraints Critical: True Data: Is a CA with a maximum "
                "path length "
                "of 0. Name: Certificate Key Usage Critical: True Usages: Certificate Signing "
                "Name: Certificate Subject Key ID"));
}

TEST_P(ReadbackTest, NssVerifies) {
  const auto verify = [](const std::string& database, ca::Time at, const char* usage) {
    return Printed({"certutil", "-V", "-d", database, "-n", "leaf", "-u", usage, "-e", "-b",
                    Formatted(at, "%y%m%d%H%M%SZ")});
  };
  const std::string database = NssDatabase("nss", root_file_);
  EXPECT_EQ(verify(database, ca_.now(), "C"), "certutil: certificate is valid");
  EXPECT_THAT(verify(database, LeafEnd() + std::chrono::hours(25), "C"), HasSubstr("has expired"));
  EXPECT_THAT(verify(database, ca_.now(), "V"), HasSubstr("certificate is invalid"));
  EXPECT_THAT(verify(NssDatabase("other", other_root_file_), ca_.now(), "C"),
              HasSubstr("certificate is invalid"));
}

TEST_P(ReadbackTest, BotanReadsBoth) {
  EXPECT_THAT(
      Printed({"botan", "cert_info", leaf_file_}),
      HasSubstr(absl::StrCat("Version: 3 Subject: CN=\"", kUpn, "\" Issuer: CN=\"", kRootName,
                             "\" Issued: ", Formatted(LeafBegin(), "%Y/%m/%d %H:%M:%S UTC"),
                             " Expires: ", Formatted(LeafEnd(), "%Y/%m/%d %H:%M:%S UTC"),
                             " Constraints: Digital Signature Extended Constraints: "
                             "PKIX.ClientAuth 1.3.6.1.4.1.311.87 ")));
  EXPECT_THAT(
      Printed({"botan", "cert_info", root_file_}),
      HasSubstr(absl::StrCat("Version: 3 Subject: CN=\"", kRootName, "\" Issuer: CN=\"", kRootName,
                             "\" Issued: ", Formatted(RootBegin(), "%Y/%m/%d %H:%M:%S UTC"),
                             " Expires: ", Formatted(RootEnd(), "%Y/%m/%d %H:%M:%S UTC"),
                             " Constraints: Cert Sign ")));
}

TEST_P(ReadbackTest, BotanVerifies) {
  EXPECT_EQ(Printed({"botan", "cert_verify", leaf_file_, root_file_}),
            "Certificate passes validation checks");
  EXPECT_THAT(Printed({"botan", "cert_verify", leaf_file_, other_root_file_}),
              HasSubstr("Certificate did not validate"));
}

INSTANTIATE_TEST_SUITE_P(Keys, ReadbackTest,
                         testing::Combine(testing::Values(KeyType::kEcP256, KeyType::kEcP384,
                                                          KeyType::kRsa2048),
                                          testing::Values(KeyType::kEcP256, KeyType::kRsa2048)),
                         [](const auto& info) {
                           return absl::StrReplaceAll(
                               absl::StrCat(hsm::KeyTypeName(std::get<0>(info.param)), "_root_",
                                            hsm::KeyTypeName(std::get<1>(info.param)), "_leaf"),
                               {{"-", "_"}});
                         });

// GnuTLS and Botan only know the time of the machine.
TEST(ReadbackExpiredTest, GnutlsAndBotanRefuseAnExpiredLeaf) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  ca::TestCa ca({.now = now - std::chrono::hours(2)});
  const TemporaryDirectory directory;
  const std::string root = directory.Write("root.pem", ca.root_pem());
  const std::string leaf = directory.Write("leaf.pem", ca.Issue(kUpn).certificate_pem);
  EXPECT_THAT(Printed({"certtool", "--verify", "--infile", leaf, "--load-ca-certificate", root,
                       "--verify-purpose", kConditionalAccess}),
              HasSubstr("The certificate chain uses expired certificate."));
  EXPECT_THAT(Printed({"botan", "cert_verify", leaf, root}), HasSubstr("Certificate has expired"));
}

}  // namespace
}  // namespace hourglass
