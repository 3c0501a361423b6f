#include "tools/radius/radius_packet.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::radius {
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

// The authenticator of an answer that has the request's in its place (RFC 2865 section 3).
std::string Md5OfAnswer(const std::string& octets, const std::string& secret) {
  const std::string all = octets + secret;
  std::string digest(kAuthenticatorSize, '\0');
  EVP_Digest(all.data(), all.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr,
             EVP_md5(), nullptr);
  return digest;
}

TEST(RadiusPacketTest, ReadsTheExampleOfTheRfc) {
  ASSERT_OK_AND_ASSIGN(const Packet request, ReadPacket(RequestOctets()));
  EXPECT_EQ(request.code, kAccessRequest);
  EXPECT_EQ(request.attributes.size(), 4U);
  EXPECT_EQ(request.Find(kUserName)->value, "nemo");
  EXPECT_EQ(request.Number(5), 3U);
  EXPECT_EQ(request.Find(kEapMessage), nullptr);
  EXPECT_EQ(HidePassword("arctangent", request.authenticator, kSecret),
            request.Find(kUserPassword)->value);
}

TEST(RadiusPacketTest, KnowsWhoMadeAnAnswer) {
  ASSERT_OK_AND_ASSIGN(const Packet request, ReadPacket(RequestOctets()));
  EXPECT_EQ(FaultOfAnswer(AnswerOctets(), request.authenticator, kSecret), AnswerFault::kNone);
  EXPECT_EQ(FaultOfAnswer(AnswerOctets(), request.authenticator, "another"),
            AnswerFault::kAuthenticator);
  EXPECT_EQ(FaultOfAnswer(AnswerOctets(), std::string(16, 'x'), kSecret),
            AnswerFault::kAuthenticator);
  EXPECT_EQ(FaultOfAnswer("", request.authenticator, kSecret), AnswerFault::kMalformed);
}

TEST(RadiusPacketTest, SignsAnswersWithEap) {
  const std::string of_request(16, 'r');
  const Packet answer = {
      kAccessChallenge, 7, "", {{kEapMessage, "eap"}, {kMessageAuthenticator, "stale"}}};
  std::string packet = EncodeAnswer(answer, of_request, kSecret);
  EXPECT_EQ(FaultOfAnswer(packet, of_request, kSecret), AnswerFault::kNone);
  ASSERT_OK_AND_ASSIGN(const Packet read, ReadPacket(packet));
  EXPECT_EQ(read.attributes.size(), 2U);
  EXPECT_EQ(read.attributes[0].type, kMessageAuthenticator);
  EXPECT_EQ(read.Find(kEapMessage)->value, "eap");
  // What follows its length does not count.
  EXPECT_EQ(FaultOfAnswer(packet + "more", of_request, kSecret), AnswerFault::kNone);
  EXPECT_EQ(FaultOfAnswer(packet, of_request, "another"), AnswerFault::kAuthenticator);
}

TEST(RadiusPacketTest, SignsRequests) {
  const Packet request = {
      kAccessRequest, 9, std::string(16, 'r'), {{kUserName, "alice"}, {kEapMessage, "eap"}}};
  const std::string packet = EncodeRequest(request, kSecret);
  ASSERT_OK_AND_ASSIGN(const Packet read, ReadPacket(packet));
  EXPECT_EQ(read.authenticator, request.authenticator);
  EXPECT_EQ(read.attributes[0].type, kMessageAuthenticator);
  EXPECT_NE(read.attributes[0].value, std::string(16, '\0'));
  EXPECT_NE(packet, EncodeRequest(request, "another"));
  EXPECT_TRUE(IsRequestBy(packet, kSecret));
  EXPECT_FALSE(IsRequestBy(packet, "another"));
  EXPECT_FALSE(IsRequestBy(EncodeUnsignedRequest(request), kSecret));
  EXPECT_FALSE(IsRequestBy("", kSecret));
}

TEST(RadiusPacketTest, OneMessageAuthenticatorOfItsLengthOrNone) {
  const std::string of_request(16, 'r');
  const auto fault_with = [&](std::vector<Attribute> more) {
    Packet answer = {kAccessReject, 7, of_request, std::move(more)};
    std::string octets = EncodeUnsignedRequest(answer);
    // Only the answer's own authenticator is right.
    octets.replace(4, 16, Md5OfAnswer(octets, kSecret));
    return FaultOfAnswer(octets, of_request, kSecret);
  };
  const Attribute any = {kMessageAuthenticator, std::string(16, 'm')};
  EXPECT_EQ(fault_with({{kReplyMessage, "no"}}), AnswerFault::kNone);
  EXPECT_EQ(fault_with({{kEapMessage, "eap"}}), AnswerFault::kNoMessageAuthenticator);
  EXPECT_EQ(fault_with({any}), AnswerFault::kMessageAuthenticator);
  EXPECT_EQ(fault_with({any, any}), AnswerFault::kMessageAuthenticator);
  EXPECT_EQ(fault_with({{kMessageAuthenticator, "short"}}), AnswerFault::kMessageAuthenticator);
}

// What FreeRADIUS 3.2.1 answered as a NAS (tools/gatewayd/disconnect_message_test.cc has whole
// conversations): its Message-Authenticator is over zeros.
TEST(RadiusPacketTest, OnlyAnswersToDisconnectRequestsAreAuthenticOverZeros) {
  constexpr char kNasSecret[] = "shared, by NAS and gatewayd";
  const std::string of_request = absl::HexStringToBytes("5a625a4eb7c5e16e8231ddcabee50655");
  std::string ack = absl::HexStringToBytes(
      "291b002c1128b123bae16882e7e50fef068550916506000000c9"
      "5012c8e21f47096fdf772602e6ca4c26adec");
  EXPECT_EQ(FaultOfAnswer(ack, of_request, kNasSecret), AnswerFault::kNone);
  Packet accept = {kAccessAccept, 7, std::string(16, '\0'), {{kReplyMessage, "yes"}}};
  std::string over_zeros = EncodeRequest(accept, kNasSecret);
  over_zeros.replace(4, 16, of_request);
  over_zeros.replace(4, 16, Md5OfAnswer(over_zeros, kNasSecret));
  EXPECT_EQ(FaultOfAnswer(over_zeros, of_request, kNasSecret), AnswerFault::kMessageAuthenticator);
  EXPECT_EQ(FaultOfAnswer(EncodeAnswer(accept, of_request, kNasSecret), of_request, kNasSecret),
            AnswerFault::kNone);
}

TEST(RadiusPacketTest, KnowsKeys) {
  const std::string key = std::string("\0\0\x01\x37\x11\x34", 6) + std::string(50, 'k');
  EXPECT_TRUE((Packet{kAccessAccept, 1, "", {{kVendorSpecific, key}}}.HasKeys()));
  EXPECT_FALSE((Packet{kAccessAccept, 1, "", {{kReplyMessage, key}}}.HasKeys()));
  EXPECT_FALSE((Packet{kAccessAccept, 1, "", {}}.HasKeys()));
}

TEST(RadiusPacketTest, RefusesWhatIsMalformed) {
  EXPECT_OK(ReadPacket(AnswerOctets()).status());
  for (const std::size_t size : {0, 19, 37}) {
    EXPECT_THAT(ReadPacket(AnswerOctets().substr(0, size)).status(),
                FailsWith(ErrorReason::kFieldInvalid, ""));
  }
  for (const char length : {'\0', '\1', '\x7f'}) {
    std::string packet = AnswerOctets();
    packet[21] = length;
    EXPECT_THAT(ReadPacket(packet).status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  }
}

}  // namespace
}  // namespace hourglass::radius
