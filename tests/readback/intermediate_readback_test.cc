// The chain of an issuing sub-key as others read it: the command line tools of OpenSSL, GnuTLS, NSS
// and Botan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "ca/testing/test_ca.h"
#include "hsm/key/key_type.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using hsm::KeyType;
using testing::EndsWith;
using testing::HasSubstr;

constexpr char kConditionalAccess[] = "1.3.6.1.4.1.311.87";
constexpr char kServerAuth[] = "1.3.6.1.5.5.7.3.1";

// What a tool printed, with all white space in one width.
std::string Printed(const std::vector<std::string>& command) {
  return absl::StrJoin(
      absl::StrSplit(RunCommand(command).output, absl::ByAnyChar(" \t\n"), absl::SkipEmpty()), " ");
}

ca::TestCaOptions Options(KeyType root_type, KeyType sub_key_type) {
  ca::TestCaOptions options;
  options.root_key_type = root_type;
  options.sub_key_type = sub_key_type;
  return options;
}

// Over the types of the root's key; the sub-key is P-256 and the root of the control is another.
class IntermediateReadbackTest : public testing::TestWithParam<KeyType> {
 protected:
  IntermediateReadbackTest()
      : ca_(Options(GetParam(), KeyType::kEcP256)),
        leaf_pem_(ca_.Issue("alice@contoso.example").certificate_pem),
        root_(directory_.Write("root.pem", ca_.root_pem())),
        other_root_(directory_.Write("other.pem", ca::TestCa().root_pem())),
        intermediate_(directory_.Write("sub.pem", ca_.intermediate_pem())),
        leaf_(directory_.Write("leaf.pem", leaf_pem_)),
        chain_(directory_.Write("chain.pem", absl::StrCat(leaf_pem_, ca_.intermediate_pem()))) {}

  TemporaryDirectory directory_;
  ca::TestCa ca_;
  std::string leaf_pem_, root_, other_root_, intermediate_, leaf_, chain_;
};

TEST_P(IntermediateReadbackTest, Openssl) {
  EXPECT_THAT(Printed({"openssl", "x509", "-in", intermediate_, "-noout", "-text"}),
              HasSubstr("X509v3 extensions: X509v3 Basic Constraints: critical CA:TRUE, pathlen:0 "
                        "X509v3 Key Usage: critical Certificate Sign "
                        "X509v3 Extended Key Usage: TLS Web Client Authentication, "
                        "1.3.6.1.4.1.311.87 X509v3 Subject Key Identifier: "));
  EXPECT_THAT(Printed({"openssl", "x509", "-in", root_, "-noout", "-text"}),
              HasSubstr("X509v3 Basic Constraints: critical CA:TRUE, pathlen:1 "));
  const auto verify = [this](const std::string& root, const std::string& purpose) {
    return Printed({"openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile", root,
                    "-untrusted", intermediate_, leaf_});
  };
  EXPECT_THAT(verify(root_, "sslclient"), EndsWith(": OK"));
  EXPECT_THAT(verify(root_, "sslserver"), HasSubstr("unsuitable certificate purpose"));
  EXPECT_THAT(verify(other_root_, "sslclient"), HasSubstr("error 20 at 1 depth lookup"));
}

// The one stock tool that enforces the conditional-access purpose by itself, down the whole chain.
TEST_P(IntermediateReadbackTest, Gnutls) {
  EXPECT_THAT(Printed({"certtool", "-i", "--infile", intermediate_}),
              HasSubstr("Extensions: Basic Constraints (critical): Certificate Authority (CA): "
                        "TRUE Path Length Constraint: 0 Key Usage (critical): Certificate "
                        "signing. Key Purpose (not critical): TLS WWW Client. "
                        "1.3.6.1.4.1.311.87 Subject Key Identifier (not critical): "));
  const auto verify = [this](const std::string& root, const std::string& purpose) {
    return Printed({"certtool", "--verify", "--infile", chain_, "--load-ca-certificate", root,
                    "--verify-purpose", purpose});
  };
  EXPECT_THAT(verify(root_, kConditionalAccess),
              HasSubstr("Chain verification output: Verified. The certificate is trusted."));
  EXPECT_THAT(verify(root_, kServerAuth), HasSubstr("Not verified."));
  EXPECT_THAT(verify(other_root_, kConditionalAccess), HasSubstr("Not verified."));
}

TEST_P(IntermediateReadbackTest, Nss) {
  const auto verify = [this](const std::string& name, const std::string& root) {
    const std::string path = absl::StrCat("sql:", directory_.File(name));
    RunCommand({"mkdir", directory_.File(name)});
    RunCommand({"certutil", "-N", "-d", path, "--empty-password"});
    RunCommand({"certutil", "-A", "-d", path, "-n", "root", "-t", "CT,,", "-a", "-i", root});
    RunCommand({"certutil", "-A", "-d", path, "-n", "sub", "-t", ",,", "-a", "-i", intermediate_});
    RunCommand({"certutil", "-A", "-d", path, "-n", "leaf", "-t", ",,", "-a", "-i", leaf_});
    return Printed({"certutil", "-V", "-d", path, "-n", "leaf", "-u", "C", "-e"});
  };
  EXPECT_EQ(verify("nss", root_), "certutil: certificate is valid");
  EXPECT_THAT(verify("nss-other", other_root_), HasSubstr("certificate is invalid"));
}

TEST_P(IntermediateReadbackTest, Botan) {
  EXPECT_THAT(Printed({"botan", "cert_info", intermediate_}),
              HasSubstr("Constraints: Cert Sign Extended Constraints: PKIX.ClientAuth "
                        "1.3.6.1.4.1.311.87 "));
  EXPECT_EQ(Printed({"botan", "cert_verify", leaf_, intermediate_, root_}),
            "Certificate passes validation checks");
  EXPECT_THAT(Printed({"botan", "cert_verify", leaf_, intermediate_, other_root_}),
              HasSubstr("Certificate did not validate"));
}

INSTANTIATE_TEST_SUITE_P(
    Keys, IntermediateReadbackTest,
    testing::Values(KeyType::kEcP256, KeyType::kEcP384, KeyType::kRsa2048), [](const auto& info) {
      return absl::StrReplaceAll(absl::StrCat(hsm::KeyTypeName(info.param), "_root"), {{"-", "_"}});
    });

}  // namespace
}  // namespace hourglass
