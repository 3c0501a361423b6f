// What FreeRADIUS, with what its kit writes, says to certificates that
// Hourglass never issues. The control of every refusal comes from the same issuer, in the same
// server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/relying_parties/openssl_ca.h"
#include "tests/relying_parties/radius_server.h"
#include "tests/support/status_matchers.h"

namespace hourglass {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kUser[] = "alice@contoso.example";
constexpr char kUpnOfUser[] =
    "subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:alice@contoso.example";

class FreeradiusPurposeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, RadiusServer::Start(ca_.root_pem()));
    const AccessAnswer control = Try("extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.87");
    ASSERT_TRUE(control.accepted) << control.server_log;
  }

  AccessAnswer Try(const std::string& purposes, const std::string& alternative_name = kUpnOfUser) {
    return server_->Authenticate(kUser, ca_.Issue(kUser, {"basicConstraints = critical, CA:FALSE",
                                                          "keyUsage = critical, digitalSignature",
                                                          purposes, alternative_name}));
  }

  OpensslCa ca_{"/CN=Contoso VPN root CA"};
  std::unique_ptr<RadiusServer> server_;
};

TEST_F(FreeradiusPurposeTest, OrderAndNumberOfPurposesDoNotMatter) {
  for (const char* purposes : {"1.3.6.1.4.1.311.87, clientAuth",
                               "clientAuth, emailProtection, 1.3.6.1.4.1.311.87, 1.2.3.4"}) {
    const AccessAnswer answer = Try(std::string("extendedKeyUsage = ") + purposes);
    EXPECT_TRUE(answer.accepted) << purposes << answer.server_log;
  }
}

TEST_F(FreeradiusPurposeTest, WithoutTheOidThereIsNoAccess) {
  // The second to fourth would pass a check that compares text without anchors or with unescaped
  // dots.
  for (const char* purposes :
       {"extendedKeyUsage = clientAuth", "extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.87.1",
        "extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.871",
        "extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.8.7"}) {
    const AccessAnswer answer = Try(purposes);
    EXPECT_TRUE(answer.rejected) << purposes;
    EXPECT_EQ(answer.reply_message, "the certificate has no conditional access") << purposes;
    EXPECT_THAT(answer.server_log, Not(HasSubstr("OpenSSL says error"))) << purposes;
  }
}

TEST_F(FreeradiusPurposeTest, WithoutAnyPurposeThereIsNoAccess) {
  const AccessAnswer answer = Try("");
  EXPECT_TRUE(answer.rejected);
  EXPECT_EQ(answer.reply_message, "the certificate has no conditional access");
}

TEST_F(FreeradiusPurposeTest, TheOidDoesNotReplaceClientAuthentication) {
  const AccessAnswer answer = Try("extendedKeyUsage = 1.3.6.1.4.1.311.87");
  EXPECT_TRUE(answer.rejected);
  EXPECT_THAT(answer.server_log, HasSubstr("OpenSSL says error 26 "));
}

TEST_F(FreeradiusPurposeTest, WithoutAUserNameThereIsNoAccess) {
  const AccessAnswer answer = Try("extendedKeyUsage = clientAuth, 1.3.6.1.4.1.311.87", "");
  EXPECT_TRUE(answer.rejected);
  EXPECT_EQ(answer.reply_message, "the certificate is not this user's");
}

}  // namespace
}  // namespace hourglass
