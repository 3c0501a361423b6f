#include "tools/gatewayd/concern.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tools/client/wording.h"
#include "tools/gatewayd/strongswan.h"

namespace hourglass::gatewayd {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

const absl::Time kAt = absl::FromUnixSeconds(1'796'000'000);

v1::DecisionEvent Event(const std::string& device, const std::string& upn) {
  v1::DecisionEvent event;
  event.set_cursor("7-0123456789abcdef");
  event.set_kind(v1::DecisionEvent::DEVICE_BLOCKED);
  event.set_device_id(device);
  event.set_user_upn(upn);
  *event.mutable_at() = client::TimestampOf(kAt);
  event.set_certificates_complete(true);
  return event;
}

void AddCertificate(v1::DecisionEvent& event, const std::string& serial, const std::string& upn) {
  v1::LiveCertificate& certificate = *event.add_certificates();
  certificate.set_serial_number(serial);
  certificate.set_user_upn(upn);
  *certificate.mutable_not_after() = client::TimestampOf(kAt + absl::Minutes(30));
}

constexpr char kAlice[] = "alice@contoso.example";

TEST(ConcernTest, ACertificateThatIsListedEndsItsTunnelWhoeverHasIt) {
  v1::DecisionEvent event = Event("laptop-1", "");
  AddCertificate(event, std::string("\x00\x1a\x2b", 3), kAlice);
  const Concern concern = ConcernOf(event, kAt);
  EXPECT_EQ(concern.words, "DEVICE_BLOCKED device laptop-1");
  ASSERT_THAT(concern.users, SizeIs(1));
  EXPECT_EQ(concern.users.begin()->upn, kAlice);
  const Tunnel listed = {.serial_number = "1a2b", .since = kAt + absl::Hours(1)};
  EXPECT_EQ(MatchOf(concern, listed, false), Match::kByCertificate);
  // The same user on another device.
  const Tunnel other = {.serial_number = "1a2c", .since = kAt - absl::Hours(1)};
  EXPECT_EQ(MatchOf(concern, other, true), Match::kNone);
}

TEST(ConcernTest, WithoutACertificateTheNameCountsUntilTheEvent) {
  v1::DecisionEvent event = Event("laptop-1", kAlice);
  AddCertificate(event, "\x1a", kAlice);
  const Concern concern = ConcernOf(event, kAt);
  const Tunnel before = {.serial_number = "", .since = kAt - absl::Hours(1)};
  EXPECT_EQ(MatchOf(concern, before, true), Match::kByName);
  EXPECT_EQ(MatchOf(concern, before, false), Match::kNone);
  const Tunnel at_once = {.serial_number = "", .since = kAt + kSlack};
  EXPECT_EQ(MatchOf(concern, at_once, true), Match::kByName);
  const Tunnel later = {.serial_number = "", .since = kAt + kSlack + absl::Seconds(1)};
  EXPECT_EQ(MatchOf(concern, later, true), Match::kNone);
}

TEST(ConcernTest, ClocksThatDifferKeepNoTunnel) {
  const v1::DecisionEvent event = Event("laptop-1", kAlice);
  const absl::Time here = kAt + absl::Minutes(3);
  const Tunnel tunnel = {.serial_number = "", .since = here - absl::Seconds(1)};
  EXPECT_EQ(MatchOf(ConcernOf(event, here), tunnel, true), Match::kByName);
  // Where it comes much later, who came in meanwhile was let in.
  EXPECT_EQ(MatchOf(ConcernOf(event, kAt + absl::Hours(1)), tunnel, true), Match::kNone);
  const Tunnel before = {.serial_number = "", .since = kAt - absl::Hours(1)};
  EXPECT_EQ(MatchOf(ConcernOf(event, kAt - absl::Minutes(3)), before, true), Match::kByName);
}

TEST(ConcernTest, AUserOnAllDevicesLosesThemAllAndSoDoesWhoeverMayHaveMore) {
  const Tunnel other = {.serial_number = "1a2c", .since = kAt - absl::Hours(1)};
  EXPECT_EQ(MatchOf(ConcernOf(Event("", kAlice), kAt), other, true), Match::kByName);
  EXPECT_EQ(MatchOf(ConcernOf(Event("", kAlice), kAt), other, false), Match::kNone);
  v1::DecisionEvent event = Event("laptop-1", kAlice);
  EXPECT_EQ(MatchOf(ConcernOf(event, kAt), other, true), Match::kNone);
  event.set_certificates_complete(false);
  EXPECT_EQ(MatchOf(ConcernOf(event, kAt), other, true), Match::kByName);
}

TEST(ConcernTest, ADeviceOfNobodyKnownEndsNothing) {
  const Concern concern = ConcernOf(Event("laptop-1", ""), kAt);
  EXPECT_THAT(concern.users, IsEmpty());
  EXPECT_FALSE(IsLive(concern, kAt));
  EXPECT_FALSE(IsOver(concern, kAt + kLongestLife));
  EXPECT_TRUE(IsOver(concern, kAt + kLongestLife + absl::Seconds(1)));
}

TEST(ConcernTest, WordsFromElsewhereForgeNoLine) {
  EXPECT_EQ(ConcernOf(Event("a\nb", ""), kAt).words, "DEVICE_BLOCKED device a\\x0ab");
}

ConcernedUser Alice() { return {.upn = kAlice, .common_name = kAlice}; }

TEST(ConcernTest, StrongswanNamesAUserByNameOrCommonName) {
  EXPECT_TRUE(IsStrongswanNameOf("alice@contoso.example", Alice()));
  EXPECT_TRUE(IsStrongswanNameOf("ALICE@contoso.example", Alice()));
  EXPECT_TRUE(IsStrongswanNameOf("CN=alice@contoso.example", Alice()));
  for (const char* other :
       {"bob@contoso.example", "alice@contoso.example.org", "*@contoso.example", "%any", "",
        "CN=", "C=DE, CN=alice@contoso.example", "CN=alice@contoso.example, O=x", "alice"}) {
    EXPECT_FALSE(IsStrongswanNameOf(other, Alice())) << other;
  }
  const ConcernedUser with_id = {.upn = std::string(60, 'a') + "@contoso.example",
                                 .common_name = "u-17"};
  EXPECT_TRUE(IsStrongswanNameOf("CN=u-17", with_id));
  EXPECT_FALSE(IsStrongswanNameOf("u-17", with_id));
  // Shown as `j??rgen@…`, as others are.
  EXPECT_FALSE(IsStrongswanNameOf("j??rgen@contoso.example",
                                  {.upn = "j\xc3\xbcrgen@contoso.example", .common_name = ""}));
}

ViciSection Sa(const std::string& connection, const std::string& id, const std::string& ike,
               const std::string& eap) {
  ViciSection sa;
  sa.name = connection;
  sa.values = {{"uniqueid", id}, {"remote-id", ike}, {"established", "60"}};
  if (!eap.empty()) sa.values.emplace_back("remote-eap-id", eap);
  return sa;
}

TEST(ConcernTest, WhatEapAuthenticatedCountsAndNotWhatThePeerCallsItself) {
  ViciSection event;
  event.sections = {Sa("vpn", "7", "alice@contoso.example", "mallory@contoso.example"),
                    Sa("other", "8", "alice@contoso.example", ""),
                    Sa("vpn", "7; terminate", "alice@contoso.example", "")};
  const std::vector<IkeSa> all = IkeSasIn(event, {}, kAt);
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].peer, "mallory@contoso.example");
  EXPECT_EQ(all[0].since, kAt - absl::Minutes(1));
  EXPECT_EQ(all[1].peer, "alice@contoso.example");
  EXPECT_THAT(IkeSasIn(event, {"vpn"}, kAt), SizeIs(1));
  EXPECT_THAT(IkeSasIn(event, {"vp"}, kAt), IsEmpty());
}

}  // namespace
}  // namespace hourglass::gatewayd
