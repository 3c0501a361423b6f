#include "tools/doctor/radius/server_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "tests/relying_parties/openssl_ca.h"

namespace hourglass::doctor {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kDay = 24 * 3600;

// What is found in a certificate with these extensions, of an issuer that clients trust, that is
// looked at `later` after its making.
class ServerCertificateTest : public testing::Test {
 protected:
  ServerCertificateTest() { expected_ = {issuer_.root_pem(), "radius.contoso.example"}; }

  std::vector<std::string> Found(const std::vector<std::string>& extensions,
                                 std::int64_t later = 0) {
    return FoundIn(issuer_.Issue("radius", extensions).certificate_pem, later);
  }

  std::vector<std::string> FoundIn(const std::string& shown, std::int64_t later = 0) {
    FindingList findings("server");
    CheckServerCertificate(shown, expected_, std::time(nullptr) + later, findings);
    std::vector<std::string> ids;
    // It is good for a day, so it always ends soon.
    for (const Finding& finding : findings.findings()) {
      if (finding.id != "radius-server-expires-soon") ids.push_back(finding.id);
    }
    return ids;
  }

  const OpensslCa issuer_{"/CN=Issuer of RADIUS servers"};
  const std::vector<std::string> right_ = {"subjectAltName = DNS:radius.contoso.example",
                                           "extendedKeyUsage = serverAuth"};
  ExpectedServer expected_;
};

TEST_F(ServerCertificateTest, NothingIsWrongWithARightOne) {
  EXPECT_THAT(Found(right_), IsEmpty());
}

TEST_F(ServerCertificateTest, OfAnotherIssuer) {
  const OpensslCa other("/CN=Issuer of RADIUS servers");
  EXPECT_THAT(FoundIn(other.Issue("radius", right_).certificate_pem),
              ElementsAre("radius-server-not-trusted"));
}

TEST_F(ServerCertificateTest, OfAnotherName) {
  expected_.name = "radius2.contoso.example";
  EXPECT_THAT(Found(right_), ElementsAre("radius-server-name"));
  expected_.name = "RADIUS.contoso.example";
  EXPECT_THAT(Found(right_), ElementsAre("radius-server-name-case"));
}

TEST_F(ServerCertificateTest, ForClients) {
  EXPECT_THAT(Found({right_[0], "extendedKeyUsage = clientAuth"}),
              testing::Contains("radius-server-purpose"));
}

TEST_F(ServerCertificateTest, OfAnotherTime) {
  EXPECT_THAT(Found(right_, 2 * kDay), ElementsAre("radius-server-expired"));
  EXPECT_THAT(Found(right_, -kDay), ElementsAre("radius-server-not-yet-valid"));
  FindingList findings("server");
  CheckServerCertificate(issuer_.Issue("radius", right_).certificate_pem, expected_,
                         std::time(nullptr) + 3600, findings);
  ASSERT_EQ(findings.findings().size(), 1U);
  EXPECT_EQ(findings.findings()[0].what, "the server's certificate ends in less than a day");
}

TEST_F(ServerCertificateTest, SaysWhatItWasNotToldToLookAt) {
  expected_ = {};
  EXPECT_THAT(Found(right_),
              ElementsAre("radius-server-chain-unknown", "radius-server-name-unknown"));
  EXPECT_THAT(FoundIn(""), ElementsAre("radius-server-certificate-not-seen"));
}

}  // namespace
}  // namespace hourglass::doctor
