#include "tools/radius/radius_packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::doctor {
namespace {

// RFC 2865 section 7.1: a user logs in with PAP, and is accepted.
constexpr char kSecret[] = "xyzzy5461";
const std::string& RequestOctets() {
  static const auto* const octets = new std::string(absl::HexStringToBytes(
      "010000380f403f9473978057bd83d5cb98f4227a"
      "01066e656d6f02120dbe708d93d413ce3196e43f782a0aee0406c0a801100506000000"
      "03"));
  return *octets;
}
const std::string& AnswerOctets() {
  static const auto* const octets = new std::string(
      absl::HexStringToBytes("0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06"
                             "c0a80103"));
  return *octets;
}

TEST(RadiusMessageTest, ReadsTheExampleOfTheRfc) {
  ASSERT_OK_AND_ASSIGN(const RadiusMessage request, ReadRadius(RequestOctets()));
  EXPECT_EQ(request.code, kAccessRequest);
  EXPECT_EQ(request.attributes.size(), 4U);
  EXPECT_EQ(request.Find(kUserName)->value, "nemo");
  EXPECT_EQ(request.Number(5), 3U);
  EXPECT_EQ(request.Find(kEapMessage), nullptr);
  EXPECT_EQ(HidePassword("arctangent", request.authenticator, kSecret),
            request.Find(kUserPassword)->value);
}

TEST(RadiusMessageTest, KnowsWhoMadeAnAnswer) {
  ASSERT_OK_AND_ASSIGN(const RadiusMessage request, ReadRadius(RequestOctets()));
  EXPECT_EQ(FaultOfAnswer(AnswerOctets(), request.authenticator, kSecret), AnswerFault::kNone);
  EXPECT_EQ(FaultOfAnswer(AnswerOctets(), request.authenticator, "another"),
            AnswerFault::kAuthenticator);
  EXPECT_EQ(FaultOfAnswer(AnswerOctets(), std::string(16, 'x'), kSecret),
            AnswerFault::kAuthenticator);
  EXPECT_EQ(FaultOfAnswer("", request.authenticator, kSecret), AnswerFault::kAuthenticator);
}

TEST(RadiusMessageTest, SignsAnswersWithEap) {
  const std::string of_request(16, 'r');
  const RadiusMessage answer = {
      kAccessChallenge, 7, "", {{kEapMessage, "eap"}, {kMessageAuthenticator, "stale"}}};
  std::string packet = EncodeAnswer(answer, of_request, kSecret);
  EXPECT_EQ(FaultOfAnswer(packet, of_request, kSecret), AnswerFault::kNone);
  ASSERT_OK_AND_ASSIGN(const RadiusMessage read, ReadRadius(packet));
  EXPECT_EQ(read.attributes.size(), 2U);
  EXPECT_EQ(read.attributes[0].type, kMessageAuthenticator);
  EXPECT_EQ(read.Find(kEapMessage)->value, "eap");
  // What follows its length does not count.
  EXPECT_EQ(FaultOfAnswer(packet + "more", of_request, kSecret), AnswerFault::kNone);
  EXPECT_EQ(FaultOfAnswer(packet, of_request, "another"), AnswerFault::kAuthenticator);
}

TEST(RadiusMessageTest, SignsRequests) {
  const RadiusMessage request = {
      kAccessRequest, 9, std::string(16, 'r'), {{kUserName, "alice"}, {kEapMessage, "eap"}}};
  const std::string packet = EncodeRequest(request, kSecret);
  ASSERT_OK_AND_ASSIGN(const RadiusMessage read, ReadRadius(packet));
  EXPECT_EQ(read.authenticator, request.authenticator);
  EXPECT_EQ(read.attributes[0].type, kMessageAuthenticator);
  EXPECT_NE(read.attributes[0].value, std::string(16, '\0'));
  EXPECT_NE(packet, EncodeRequest(request, "another"));
  EXPECT_TRUE(IsRequestBy(packet, kSecret));
  EXPECT_FALSE(IsRequestBy(packet, "another"));
  EXPECT_FALSE(IsRequestBy(EncodeUnsignedRequest(request), kSecret));
  EXPECT_FALSE(IsRequestBy("", kSecret));
}

TEST(RadiusMessageTest, KnowsKeys) {
  const std::string key = std::string("\0\0\x01\x37\x11\x34", 6) + std::string(50, 'k');
  EXPECT_TRUE((RadiusMessage{kAccessAccept, 1, "", {{kVendorSpecific, key}}}.HasKeys()));
  EXPECT_FALSE((RadiusMessage{kAccessAccept, 1, "", {{kReplyMessage, key}}}.HasKeys()));
  EXPECT_FALSE((RadiusMessage{kAccessAccept, 1, "", {}}.HasKeys()));
}

TEST(RadiusMessageTest, RefusesWhatIsMalformed) {
  EXPECT_OK(ReadRadius(AnswerOctets()).status());
  for (const std::size_t size : {0, 19, 37}) {
    EXPECT_THAT(ReadRadius(AnswerOctets().substr(0, size)).status(),
                FailsWith(ErrorReason::kFieldInvalid, ""));
  }
  for (const char length : {'\0', '\1', '\x7f'}) {
    std::string packet = AnswerOctets();
    packet[21] = length;
    EXPECT_THAT(ReadRadius(packet).status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  }
}

}  // namespace
}  // namespace hourglass::doctor
