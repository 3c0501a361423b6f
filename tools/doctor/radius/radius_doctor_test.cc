#include "tools/doctor/radius/radius_doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "ca/testing/test_ca.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tools/radius/radius_packet.h"

namespace hourglass::doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr char kUpn[] = "canary@contoso.example";

std::int64_t Seconds(const ca::TestCa& ca) { return ca.now().time_since_epoch().count(); }

// A server that answers as it is told, to each kind of conversation; by default as it should.
class RadiusDoctorTest : public testing::Test {
 protected:
  RadiusDoctorTest() {
    const ca::TestCertificate issued = ca_.Issue(kUpn);
    question_.canary = {issued.chain_pem, issued.private_key_pem};
    question_.target = {"radius.contoso.example", 1812, "never-printed-secret"};
    accept_.end = ProbeEnd::kAccepted;
    accept_.answers = 3;
    accept_.session_timeout = 3000;
    accept_.has_keys = true;
    refuse_.end = ProbeEnd::kRejected;
    refuse_.answers = 3;
  }

  bool IsCanary(const Conversation& conversation) const {
    return conversation.certificate_pem == question_.canary.certificate_pem &&
           conversation.identity == kUpn;
  }

  absl::StatusOr<RadiusReport> Examine() {
    const RadiusWays ways = {
        [this](const Conversation& conversation) -> absl::StatusOr<ProbeResult> {
          conversations_.push_back(conversation);
          return IsCanary(conversation) ? accept_ : refuse_;
        },
        [this](const std::string&, bool sign) -> absl::StatusOr<ProbeResult> {
          return sign ? refuse_ : unsigned_;
        }};
    return ExamineRadius(question_, ways, [this] { return Seconds(ca_); });
  }

  // The ids of what is no note.
  std::vector<std::string> Mistakes() {
    const auto report = Examine();
    if (!report.ok()) return {std::string(report.status().message())};
    std::vector<std::string> ids;
    for (const Finding& finding : report->findings) {
      if (finding.severity != Severity::kNote) ids.push_back(finding.id);
    }
    EXPECT_THAT(FindingsInWords(report->findings), testing::Not(HasSubstr("never-printed-secret")));
    return ids;
  }

  ca::TestCa ca_;
  RadiusQuestion question_;
  ProbeResult accept_;
  ProbeResult refuse_;
  ProbeResult unsigned_;
  std::vector<Conversation> conversations_;
};

TEST_F(RadiusDoctorTest, AServerThatDoesRightHasNoMistakes) {
  ASSERT_OK_AND_ASSIGN(const RadiusReport report, Examine());
  EXPECT_FALSE(HasMistake(report.findings)) << FindingsInWords(report.findings);
  EXPECT_EQ(report.probes.size(), 8U);
  // What could not be tried is said.
  std::vector<std::string> ids;
  for (const Finding& finding : report.findings) ids.push_back(finding.id);
  EXPECT_THAT(ids, UnorderedElementsAre("radius-server-certificate-not-seen",
                                        "radius-expiry-not-tried", "radius-oid-not-tried"));
}

TEST_F(RadiusDoctorTest, TheCanaryIsShownInBothVersionsAndTheForgeriesAreOthers) {
  ASSERT_OK(Examine().status());
  EXPECT_EQ(conversations_[0].method, EapMethod::kTls13);
  EXPECT_EQ(conversations_[1].method, EapMethod::kTls12);
  EXPECT_EQ(conversations_[2].identity, "hourglass-doctor-nobody@contoso.example");
  for (const std::size_t forged : {3, 4}) {
    const Credential credential = {conversations_[forged].certificate_pem,
                                   conversations_[forged].private_key_pem};
    ASSERT_OK_AND_ASSIGN(const CredentialFacts facts, ReadCredential(credential));
    EXPECT_EQ(facts.upn, kUpn);
    EXPECT_TRUE(facts.has_conditional_access);
    EXPECT_EQ(facts.not_after < Seconds(ca_), forged == 4);
  }
  EXPECT_THAT(conversations_[5].certificate_pem + conversations_[6].certificate_pem, IsEmpty());
}

TEST_F(RadiusDoctorTest, ARefusedCanary) {
  accept_ = refuse_;
  accept_.alert = "unknown CA";
  ASSERT_OK_AND_ASSIGN(const RadiusReport report, Examine());
  const std::string words = FindingsInWords(report.findings);
  EXPECT_THAT(words, HasSubstr("canary, TLS 1.3: a good certificate is refused; its TLS alert: "
                               "unknown CA"));
  EXPECT_THAT(words, HasSubstr("the tenant's roots"));
  EXPECT_THAT(words, HasSubstr("prove nothing"));
}

TEST_F(RadiusDoctorTest, SessionsThatOutliveTheCertificate) {
  accept_.session_timeout = 86400;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-session-outlives", "radius-session-outlives"));
  accept_.session_timeout = std::nullopt;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-session-unbounded", "radius-session-unbounded"));
  accept_.session_timeout = 0;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-session-unbounded", "radius-session-unbounded"));
}

TEST_F(RadiusDoctorTest, AnswersWithoutKeysOrLate) {
  accept_.has_keys = false;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-no-keys", "radius-no-keys"));
  accept_.has_keys = true;
  accept_.took = std::chrono::seconds(3);
  EXPECT_THAT(Mistakes(), ElementsAre("radius-slow", "radius-slow"));
}

TEST_F(RadiusDoctorTest, AServerThatLetsEverythingIn) {
  refuse_ = accept_;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-lets-everything-in"));
}

TEST_F(RadiusDoctorTest, ServersThatGiveNoAnswerThatCounts) {
  accept_ = ProbeResult();
  EXPECT_THAT(Mistakes(), ElementsAre("radius-silent"));
  EXPECT_EQ(conversations_.size(), 1U);  // and it is asked no more
  unsigned_.end = ProbeEnd::kFalse;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-wrong-secret"));
  accept_.end = ProbeEnd::kUnreachable;
  unsigned_.end = ProbeEnd::kSilent;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-unreachable"));
  accept_.end = ProbeEnd::kFalse;
  accept_.fault = radius::AnswerFault::kAuthenticator;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-wrong-authenticator"));
  accept_.fault = radius::AnswerFault::kNoMessageAuthenticator;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-no-message-authenticator"));
}

TEST_F(RadiusDoctorTest, FalseAnswersAmongGoodOnes) {
  accept_.fault = radius::AnswerFault::kAuthenticator;
  EXPECT_THAT(Mistakes(), ElementsAre("radius-wrong-authenticator"));
  EXPECT_EQ(conversations_.size(), 7U);
}

TEST_F(RadiusDoctorTest, GivenCertificatesAreTried) {
  const ca::TestCertificate other = ca_.Issue("old@contoso.example");
  question_.refused = {{other.chain_pem, other.private_key_pem}};
  ASSERT_OK_AND_ASSIGN(const RadiusReport report, Examine());
  EXPECT_EQ(report.probes.size(), 9U);
  EXPECT_EQ(conversations_[5].identity, "old@contoso.example");
}

TEST_F(RadiusDoctorTest, RefusesCanariesThatProveNothing) {
  const Credential good = question_.canary;
  ca_.Advance(std::chrono::hours(2));
  EXPECT_THAT(Examine().status(), FailsWith(ErrorReason::kFieldInvalid, "certificate"));
  ca_.Advance(-std::chrono::hours(4));
  EXPECT_THAT(Examine().status(), FailsWith(ErrorReason::kFieldInvalid, "certificate"));
  ca_.Advance(std::chrono::hours(2));
  EXPECT_OK(Examine().status());
  question_.canary.private_key_pem = ca_.Issue(kUpn).private_key_pem;
  EXPECT_THAT(Examine().status(), FailsWith(ErrorReason::kKeyMismatch, "key"));
  question_.canary.private_key_pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n";
  EXPECT_THAT(Examine().status(), FailsWith(ErrorReason::kFieldInvalid, "key"));
  question_.canary = {"", ""};
  EXPECT_THAT(Examine().status(), FailsWith(ErrorReason::kFieldInvalid, "certificate"));
  question_.canary = good;
  question_.server.roots_pem = "no certificate";
  EXPECT_THAT(Examine().status(), FailsWith(ErrorReason::kFieldInvalid, "server-ca"));
  question_.server.roots_pem = "";
  question_.identity = std::string("a\0b", 3);
  EXPECT_THAT(Examine().status(), FailsWith(ErrorReason::kFieldInvalid, "identity"));
}

TEST(SupplicantTest, TheConfigurationHoldsAnyName) {
  const Conversation conversation = {EapMethod::kTls12, "a\"\n}b", "", ""};
  const std::string text = SupplicantConfiguration(conversation, "/tmp/x");
  EXPECT_THAT(text, HasSubstr("\nidentity=61220a7d62\n"));
  EXPECT_THAT(text, HasSubstr("tls_disable_tlsv1_2=0 tls_disable_tlsv1_3=1"));
}

TEST(SupplicantTest, ReadsTheLastAlertAndTheCertificates) {
  EXPECT_EQ(AlertIn("a\nSSL: SSL3 alert: read (remote end reported an error):fatal:unknown CA\nb"),
            "unknown CA");
  EXPECT_EQ(AlertIn("SSL: SSL3 alert: write (local SSL3 detected an error):fatal:x\n"), "");
  const std::string one = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----";
  const std::string two = "-----BEGIN CERTIFICATE-----\nBB\n-----END CERTIFICATE-----";
  EXPECT_EQ(ShownCertificates(absl::StrCat("/CN=root\n", two, "\n\n/CN=a\n", one, "\n", one)),
            absl::StrCat(one, "\n", two, "\n"));
  EXPECT_EQ(ShownCertificates("-----BEGIN CERTIFICATE-----\nAA"), "");
}

}  // namespace
}  // namespace hourglass::doctor
