#include "tools/gatewayd/openvpn_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"

namespace hourglass::gatewayd {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

// What OpenVPN 2.6.14 said.
constexpr char kStatus[] =
    "TITLE\tOpenVPN 2.6.14 x86_64-pc-linux-gnu\n"
    "TIME\t2026-11-30 17:32:33\t1796059953\n"
    "HEADER\tCLIENT_LIST\tCommon Name\tReal Address\tVirtual Address\tVirtual IPv6 Address\tBytes "
    "Received\tBytes Sent\tConnected Since\tConnected Since (time_t)\tUsername\tClient ID\tPeer "
    "ID\tData Channel Cipher\n"
    "CLIENT_LIST\tbob@contoso.example_0x36A5F499C95CC96F1845AE39814AFDFCC7614680\t10.9.0.2:54736\t"
    "10.20.0.3\t\t1605\t1662\t2026-11-30 17:32:31\t1796059951\tUNDEF\t1\t1\tAES-256-GCM\n"
    "CLIENT_LIST\tUNDEF\t10.9.0.2:1\t\t\t0\t0\t2026-11-30 17:32:31\t1796059951\tUNDEF\t2\t2\t\n"
    "HEADER\tROUTING_TABLE\tVirtual Address\tCommon Name\tReal Address\tLast Ref\tLast Ref "
    "(time_t)\n"
    "ROUTING_TABLE\t10.20.0.3\tbob@contoso.example\t10.9.0.2:54736\t2026-11-30 17:32:31\t1\n"
    "GLOBAL_STATS\tdco_enabled\t0\n"
    "END";

std::vector<absl::string_view> Lines(absl::string_view text) { return absl::StrSplit(text, '\n'); }

void ExpectNone(absl::string_view text, const std::string& why) {
  const auto clients = ParseOpenvpnStatus(Lines(text));
  EXPECT_THAT(clients.status(), FailsWith(ErrorReason::kFieldInvalid, ""));
  EXPECT_THAT(std::string(clients.status().message()), HasSubstr(why));
}

TEST(OpenvpnLinesTest, ClientsAreReadByTheNamesOfTheirColumns) {
  ASSERT_OK_AND_ASSIGN(const auto clients, ParseOpenvpnStatus(Lines(kStatus)));
  ASSERT_THAT(clients, SizeIs(1));
  EXPECT_EQ(clients[0].client_id, 1u);
  EXPECT_EQ(absl::ToUnixSeconds(clients[0].connected_since), 1796059951);
  ASSERT_OK_AND_ASSIGN(
      const auto others,
      ParseOpenvpnStatus(Lines("HEADER\tCLIENT_LIST\tClient ID\tConnected Since "
                               "(time_t)\tCommon Name\nCLIENT_LIST\t9\t5\talice\nEND")));
  ASSERT_THAT(others, SizeIs(1));
  EXPECT_EQ(others[0].common_name, "alice");
  EXPECT_EQ(others[0].client_id, 9u);
}

TEST(OpenvpnLinesTest, WhatIsNoStatusIsRefused) {
  ExpectNone("", "END");
  ExpectNone("END", "no header");
  ExpectNone("CLIENT_LIST\ta\nEND", "before their header");
  ExpectNone("HEADER\tCLIENT_LIST\tCommon Name\nEND", "no column");
  constexpr char kHeader[] =
      "HEADER\tCLIENT_LIST\tCommon Name\tConnected Since (time_t)\tClient ID";
  ExpectNone(absl::StrCat(kHeader, "\nCLIENT_LIST\talice\t5\nEND"), "not what the header says");
  ExpectNone(absl::StrCat(kHeader, "\nCLIENT_LIST\talice\t5\tx\nEND"), "not what the header says");
}

TEST(OpenvpnLinesTest, ANameTellsUserAndCertificate) {
  const OpenvpnName both =
      ParseOpenvpnName("alice@contoso.example_0x4DE6CFB5343CC9C2CF68D339AE4223C897929BBB");
  EXPECT_EQ(both.user, "alice@contoso.example");
  EXPECT_EQ(both.serial_number, "4de6cfb5343cc9c2cf68d339ae4223c897929bbb");
  EXPECT_EQ(ParseOpenvpnName("0x00A1B").serial_number, "0a1b");
  EXPECT_EQ(ParseOpenvpnName("0x00A1B").user, "");
  EXPECT_EQ(ParseOpenvpnName("alice@contoso.example").user, "alice@contoso.example");
  EXPECT_EQ(ParseOpenvpnName("alice_0xyz@contoso.example").serial_number, "");
  EXPECT_EQ(ParseOpenvpnName("alice_0x").serial_number, "");
}

TEST(OpenvpnLinesTest, ANameThatMayBeAnothersIsNobodys) {
  EXPECT_TRUE(IsOpenvpnNameOf("alice@contoso.example", "alice@contoso.example"));
  EXPECT_TRUE(IsOpenvpnNameOf("Alice@Contoso.example", "alice@contoso.example"));
  EXPECT_FALSE(IsOpenvpnNameOf("bob@contoso.example", "alice@contoso.example"));
  // As OpenVPN 2.6 shows them.
  for (const char* name : {"o'brien@contoso.example", "o_brien@contoso.example",
                           "a+b#c!d@contoso.example", "m\u00fcller@contoso.example"}) {
    EXPECT_TRUE(IsOpenvpnNameOf(name, name)) << name;
  }
  EXPECT_FALSE(IsOpenvpnNameOf("o_brien@contoso.example", "o'brien@contoso.example"));
  EXPECT_FALSE(IsOpenvpnNameOf("o_brien@contoso.example", "o\tbrien@contoso.example"));
  EXPECT_FALSE(IsOpenvpnNameOf("o\tbrien@contoso.example", "o\tbrien@contoso.example"));
  EXPECT_FALSE(IsOpenvpnNameOf("", ""));
}

TEST(OpenvpnLinesTest, CommandsHaveNothingOfAnothersInThem) {
  EXPECT_EQ(OpenvpnKillCommand(7, true), "client-kill 7 HALT");
  EXPECT_EQ(OpenvpnKillCommand(7, false), "client-kill 7");
  EXPECT_EQ(OpenvpnKillCommand("alice@contoso.example_0x4D"), "kill alice@contoso.example_0x4D");
  EXPECT_EQ(OpenvpnKillCommand("o'brien m*+@contoso.example_0x4D"),
            "kill \"o'brien m*+@contoso.example_0x4D\"");
  for (const char* name :
       {"", "alice\nsignal SIGTERM", "10.0.0.1:1194", "al\"ice", "al\\ice", "al\x7fice"}) {
    EXPECT_EQ(OpenvpnKillCommand(name), std::nullopt) << name;
  }
  EXPECT_OK(OpenvpnOutcome("SUCCESS: client-kill command succeeded"));
  EXPECT_TRUE(absl::IsAborted(OpenvpnOutcome("ERROR: client-kill command failed")));
  EXPECT_TRUE(IsOpenvpnNotice(">INFO:OpenVPN Management Interface Version 5"));
  EXPECT_FALSE(IsOpenvpnNotice("END"));
}

}  // namespace
}  // namespace hourglass::gatewayd
