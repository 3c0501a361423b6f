// FreeRADIUS, with what its kit writes, and leaves of issuing sub-keys: it
// trusts the root only, and the client sends the intermediate. Every refusal asserts its reason,
// and has a control.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ca/testing/test_ca.h"
#include "hsm/key/signing_key.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/relying_parties/radius_server.h"
#include "tests/support/status_matchers.h"

namespace hourglass {
namespace {

using ::testing::HasSubstr;

constexpr char kUser[] = "alice@contoso.example";
constexpr char kBothPurposes[] = "extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.87";

TEST(FreeradiusSubKeyTest, TheClientSendsTheIntermediate) {
  for (const hsm::KeyType type : {hsm::KeyType::kEcP256, hsm::KeyType::kRsa2048}) {
    ca::TestCaOptions options;
    options.sub_key_type = type;
    ca::TestCa ca(options);
    const ca::TestCertificate issued = ca.Issue(kUser);
    ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
    const CertificateAndKey with_chain{absl::StrCat(issued.certificate_pem, ca.intermediate_pem()),
                                       issued.private_key_pem};
    for (const TlsVersion version : {TlsVersion::kTls12, TlsVersion::kTls13}) {
      const AccessAnswer answer = server->Authenticate(kUser, with_chain, version);
      EXPECT_TRUE(answer.accepted) << answer.server_log;
    }
    const AccessAnswer alone =
        server->Authenticate(kUser, {issued.certificate_pem, issued.private_key_pem});
    EXPECT_TRUE(alone.rejected) << alone.server_log;
    EXPECT_THAT(alone.server_log, HasSubstr("OpenSSL says error 20 "));
  }
}

const std::vector<std::string> kIntermediate = {"basicConstraints = critical, CA:TRUE, pathlen:0",
                                                "keyUsage = critical, keyCertSign", kBothPurposes};

std::vector<std::string> Leaf(const std::string& purposes) {
  return {"basicConstraints = critical, CA:FALSE", "keyUsage = critical, digitalSignature",
          purposes, absl::StrCat("subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:", kUser)};
}

// Why a root has to be made for sub-keys, and why the others are safe from them.
TEST(FreeradiusSubKeyTest, PathLengthZeroAllowsNoIntermediate) {
  for (const int path_length : {1, 0}) {
    const OpensslCa ca("/CN=Contoso VPN root CA", "", path_length);
    const CertificateAndKey leaf =
        OpensslCa::IssueUnder(ca.Issue("intermediate", kIntermediate), kUser, Leaf(kBothPurposes));
    ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
    const AccessAnswer answer = server->Authenticate(kUser, leaf);
    if (path_length == 1) {
      EXPECT_TRUE(answer.accepted) << answer.server_log;
    } else {
      EXPECT_TRUE(answer.rejected) << answer.server_log;
      EXPECT_THAT(answer.server_log, HasSubstr("OpenSSL says error 25 "));
    }
  }
}

TEST(FreeradiusSubKeyTest, TheOidOfTheIntermediateIsNotTheLeafs) {
  const OpensslCa ca("/CN=Contoso VPN root CA", "", 1);
  const CertificateAndKey intermediate = ca.Issue("intermediate", kIntermediate);
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
  const AccessAnswer control =
      server->Authenticate(kUser, OpensslCa::IssueUnder(intermediate, kUser, Leaf(kBothPurposes)));
  EXPECT_TRUE(control.accepted) << control.server_log;
  const AccessAnswer answer = server->Authenticate(
      kUser, OpensslCa::IssueUnder(intermediate, kUser, Leaf("extendedKeyUsage = clientAuth")));
  EXPECT_TRUE(answer.rejected) << answer.server_log;
  EXPECT_EQ(answer.reply_message, "the certificate has no conditional access");
}

TEST(FreeradiusSubKeyTest, AnIntermediateForAnotherPurposeIssuesNoClients) {
  const OpensslCa ca("/CN=Contoso VPN root CA", "", 1);
  std::vector<std::string> for_servers = kIntermediate;
  for_servers[2] = "extendedKeyUsage = serverAuth, 1.3.6.1.4.1.311.87";
  ASSERT_OK_AND_ASSIGN(auto server, RadiusServer::Start(ca.root_pem()));
  const AccessAnswer control = server->Authenticate(
      kUser,
      OpensslCa::IssueUnder(ca.Issue("intermediate", kIntermediate), kUser, Leaf(kBothPurposes)));
  EXPECT_TRUE(control.accepted) << control.server_log;
  const AccessAnswer answer = server->Authenticate(
      kUser,
      OpensslCa::IssueUnder(ca.Issue("intermediate", for_servers), kUser, Leaf(kBothPurposes)));
  EXPECT_TRUE(answer.rejected) << answer.server_log;
  EXPECT_THAT(answer.server_log, HasSubstr("OpenSSL says error 26 "));
}

}  // namespace
}  // namespace hourglass
