#include "tools/gatewayd/disconnect_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::gatewayd {
namespace {

constexpr char kSecret[] = "shared, by NAS and gatewayd";

// What radclient 3.2.1 sent, and what FreeRADIUS 3.2.1 answered as a NAS.
constexpr char kRequest[] =
    "281b00435a625a4eb7c5e16e8231ddcabee5065550121a301ebea52f0c42515c91fd5080b8c8"
    "0117616c69636540636f6e746f736f2e6578616d706c6537066b0db331";
constexpr char kAck[] =
    "291b002c1128b123bae16882e7e50fef068550916506000000c9"
    "5012c8e21f47096fdf772602e6ca4c26adec";
constexpr char kAckByTheRfc[] =
    "291b00266d18221b7dc8d624b6d5344b6bf14a855012c500273c2b479b3e960e59b0829f632a";
constexpr char kAckWithAFalseOne[] =
    "291b0026377d72feb5a940604b880e556486a93f5012040f5670b49a328256c865effe93a836";
constexpr char kRequestOfBob[] =
    "2803004c89f50ba9dd1cbc1699c45e66df33c48d5012e755f66104dc47eabddf20e400370b16"
    "0115626f6240636f6e746f736f2e6578616d706c65200b676174657761792d3137066b0db331";
constexpr char kNak[] = "2a03001a60d47ab7ab945d64a584ad82b3aaaebe6506000001f7";
constexpr char kPlainRequest[] =
    "28680031ec3e1ed82dc9715a84ac84d8d5736b060117616c69636540636f6e746f736f2e6578"
    "616d706c6537066b0db331";

std::string Octets(const char* hex) { return absl::HexStringToBytes(hex); }

DisconnectRequest RequestOfAlice() {
  DisconnectRequest request;
  request.identifier = 0x1b;
  request.user_name = "alice@contoso.example";
  request.event_timestamp = 1796059953;
  return request;
}

TEST(DisconnectMessageTest, RequestsAreWhatRadclientSends) {
  DisconnectRequest request = RequestOfAlice();
  EXPECT_EQ(EncodeDisconnectRequest(request, kSecret), Octets(kRequest));
  request.identifier = 0x68;
  request.message_authenticator = false;
  EXPECT_EQ(EncodeDisconnectRequest(request, kSecret), Octets(kPlainRequest));
  request.identifier = 0x03;
  request.message_authenticator = true;
  request.user_name = "bob@contoso.example";
  request.nas_identifier = "gateway-1";
  EXPECT_EQ(EncodeDisconnectRequest(request, kSecret), Octets(kRequestOfBob));
}

TEST(DisconnectMessageTest, AnswersOfFreeradiusAreRead) {
  ASSERT_OK_AND_ASSIGN(const DisconnectAnswer ack,
                       ReadDisconnectAnswer(Octets(kAck), Octets(kRequest), kSecret));
  EXPECT_TRUE(ack.is_ack);
  EXPECT_EQ(ack.error_cause, 201);
  ASSERT_OK_AND_ASSIGN(const DisconnectAnswer nak,
                       ReadDisconnectAnswer(Octets(kNak), Octets(kRequestOfBob), kSecret));
  EXPECT_FALSE(nak.is_ack);
  EXPECT_EQ(nak.error_cause, kSessionContextNotFound);
  // What follows the packet is none of it.
  EXPECT_OK(ReadDisconnectAnswer(Octets(kNak) + "more", Octets(kRequestOfBob), kSecret).status());
}

void ExpectNone(const std::string& packet, const std::string& why,
                absl::string_view secret = kSecret) {
  const auto answer = ReadDisconnectAnswer(packet, Octets(kRequest), secret);
  EXPECT_THAT(answer.status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(std::string(answer.status().message()), testing::HasSubstr(why));
}

TEST(DisconnectMessageTest, WhatNobodyWithTheSecretSentForThisIsNoAnswer) {
  const std::string ack = Octets(kAck);
  ASSERT_OK(ReadDisconnectAnswer(ack, Octets(kRequest), kSecret).status());
  ExpectNone(ack, "not authenticated", "another secret");
  ExpectNone(Octets(kNak), "another identifier");
  for (std::size_t i = 4; i < ack.size(); ++i) {
    std::string damaged = ack;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ExpectNone(damaged, "not authenticated");
  }
  std::string request = Octets(kRequest);
  ExpectNone(request, "code 40");
  ExpectNone("", "no RADIUS packet");
  ExpectNone(ack.substr(0, 30), "length");
}

// By Python's hashlib and hmac: a Disconnect-ACK of kRequest by the letter of RFC 5176, and one
// whose Message-Authenticator is another's while its authenticator is right.
TEST(DisconnectMessageTest, TheMessageAuthenticatorIsTheOneOfTheRfc) {
  EXPECT_OK(ReadDisconnectAnswer(Octets(kAckByTheRfc), Octets(kRequest), kSecret).status());
  ExpectNone(Octets(kAckWithAFalseOne), "Message-Authenticator is false");
}

TEST(DisconnectMessageTest, OnlyNamesOfOneUserAreSent) {
  EXPECT_OK(CheckUserName("alice@contoso.example"));
  EXPECT_OK(CheckUserName("o'brien_fabrikam.example#EXT#@contoso.example"));
  EXPECT_OK(CheckUserName("j\xc3\xbcrgen@contoso.example"));
  for (const char* name : {"", "*", "*@contoso.example", "alice*@contoso.example", "%any", "CN=*",
                           "CN=alice@x.example", "@contoso.example", "@#6162", "alice@", "alice",
                           "rfc822:*@contoso.example", "{3}@contoso.example",
                           "alice@contoso.example\n", "keyid:alice@contoso.example"}) {
    EXPECT_THAT(CheckUserName(name), FailsWith(ErrorReason::kFieldInvalid, "")) << name;
  }
  EXPECT_OK(CheckUserName(std::string(251, 'a') + "@b"));
  EXPECT_THAT(CheckUserName(std::string(252, 'a') + "@b"),
              FailsWith(ErrorReason::kFieldInvalid, ""));
}

TEST(DisconnectMessageTest, CausesHaveTheirNames) {
  EXPECT_EQ(ErrorCauseInWords(503), "Session Context Not Found (503)");
  EXPECT_EQ(ErrorCauseInWords(999), "999");
}

}  // namespace
}  // namespace hourglass::gatewayd
