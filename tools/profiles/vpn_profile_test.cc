#include "tools/profiles/vpn_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/profiles/option_rules.h"
#include "tools/profiles/profile_check.h"
#include "tools/profiles/schema_validation.h"
#include "tools/xml/xml_tree.h"

namespace hourglass::profiles {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kServerRoot[] = "5A89FECB5B49A70B1A5263B735EED71CC268BE4B";
constexpr char kOtherServerRoot[] = "6A89FECB5B49A70B1A5263B735EED71CC268BE4B";
constexpr char kTenantRoot[] = "89ABCDEF0123456789ABCDEF0123456789ABCDEF";
constexpr char kOnPremises[] = "0B3A1C5D7E9F00112233445566778899AABBCCDD";

// The profile of testdata/user.xml.
VpnProfileOptions UserOptions() {
  VpnProfileOptions options;
  options.servers = {{"vpn.contoso.example", ""}};
  options.routes = {*ParseIpPrefix("10.0.0.0/8")};
  options.dns_suffixes = {"corp.contoso.example"};
  options.trusted_networks = {"corp.contoso.example"};
  options.radius_names = {"nps.corp.contoso.example"};
  options.server_roots = {kServerRoot};
  options.sso = SingleSignOn{{"1.3.6.1.5.5.7.3.2"}, {kOnPremises}};
  options.name_rules = {{".corp.contoso.example", {"10.0.0.53"}}};
  return options;
}

VpnProfileOptions DeviceOptions() {
  VpnProfileOptions options;
  options.is_device_tunnel = true;
  options.servers = {{"vpn.contoso.example", ""}};
  options.routes = {*ParseIpPrefix("10.0.0.53/32")};
  options.trusted_networks = {"corp.contoso.example"};
  return options;
}

TEST(VpnProfileTest, IsWhatTheCorpusBeginsWith) {
  VpnProfileOptions options = UserOptions();
  EXPECT_EQ(*WriteVpnProfile(options, XmlLayout::kIndented),
            ReadFileOrDie("tools/profiles/testdata/user.xml"));
  options.method = EapMethod::kPeapEapTls;
  options.issuer_roots = {kTenantRoot};
  EXPECT_EQ(*WriteVpnProfile(options, XmlLayout::kIndented),
            ReadFileOrDie("tools/profiles/testdata/peap.xml"));
  EXPECT_EQ(*WriteVpnProfile(DeviceOptions(), XmlLayout::kIndented),
            ReadFileOrDie("tools/profiles/testdata/device.xml"));
}

// Options of which each bit of a number chooses one way or the other.
class Choice {
 public:
  explicit Choice(unsigned bits) : bits_(bits) {}
  bool Next() {
    const bool chosen = (bits_ & 1U) != 0;
    bits_ >>= 1;
    return chosen;
  }

 private:
  unsigned bits_;
};

constexpr unsigned kSharedBits = 8;
constexpr unsigned kUserBits = 6;

VpnProfileOptions SharedOptions(Choice& choice) {
  VpnProfileOptions options;
  options.servers = {{"vpn.contoso.example", choice.Next() ? "Contoso <1> & \xc3\xa9" : ""}};
  if (choice.Next()) options.servers.push_back({"2001:db8::1", "Second"});
  options.is_force_tunnel = choice.Next();
  if (!options.is_force_tunnel) {
    options.routes = {*ParseIpPrefix("10.0.0.0/8"), *ParseIpPrefix("2001:db8::/32")};
  }
  options.is_always_on = choice.Next();
  options.registers_dns = choice.Next();
  if (choice.Next()) options.dns_suffixes = {"corp.contoso.example", "contoso.example"};
  if (choice.Next()) options.trusted_networks = {"corp.contoso.example", "inner.example"};
  if (choice.Next()) {
    options.traffic_rules = {
        *ParseTrafficRule("app=C:\\Program Files\\A & B\\a.exe;protocol=tcp;remote-ports=443,8000-"
                          "8080;remote-addresses=10.0.0.0/8,10.1.1.1-10.1.1.9"),
        *ParseTrafficRule("protocol=17;local-ports=53;local-addresses=10.2.0.1;direction=inbound")};
  }
  return options;
}

void AddUserOptions(VpnProfileOptions& options, Choice& choice) {
  options.protocol = choice.Next() ? TunnelProtocol::kAutomatic : TunnelProtocol::kIkev2;
  options.method = choice.Next() ? EapMethod::kPeapEapTls : EapMethod::kEapTls;
  options.radius_names = {"nps.corp.contoso.example"};
  options.server_roots = {kServerRoot};
  if (choice.Next()) {
    options.radius_names.push_back("nps2.corp.contoso.example");
    options.server_roots.push_back(kOtherServerRoot);
  }
  if (choice.Next()) options.issuer_roots = {kTenantRoot};
  if (choice.Next()) {
    options.sso = SingleSignOn{{"1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2"}, {kOnPremises}};
  }
  if (choice.Next()) {
    options.name_rules = {{".corp.contoso.example", {"10.0.0.53", "10.0.0.54"}},
                          {"portal.contoso.example", {}}};
  }
}

// Notes, and that single sign-on is missing where it was not chosen, are all that is found.
void ExpectSound(const VpnProfileOptions& options) {
  ASSERT_OK_AND_ASSIGN(const std::string xml, WriteVpnProfile(options, XmlLayout::kOneLine));
  ASSERT_THAT(SchemaFaults(xml), IsEmpty()) << xml;
  Surroundings known;
  known.tenant_roots = known.live_roots = {kTenantRoot};
  known.server_roots = {kServerRoot, kOtherServerRoot};
  ASSERT_OK_AND_ASSIGN(const std::vector<doctor::Finding> findings,
                       CheckProfiles({{"profile", xml, ""}}, known));
  for (const doctor::Finding& finding : findings) {
    const bool is_expected = finding.severity == doctor::Severity::kNote ||
                             (finding.id == "sso-missing" && !options.sso.has_value());
    ASSERT_TRUE(is_expected) << finding.id << ": " << finding.what << "\n" << xml;
  }
}

TEST(VpnProfileTest, EveryCombinationOfAUsersTunnelIsValidAndWithoutMistakes) {
  for (unsigned bits = 0; bits < 1U << (kSharedBits + kUserBits); ++bits) {
    Choice choice(bits);
    VpnProfileOptions options = SharedOptions(choice);
    AddUserOptions(options, choice);
    ExpectSound(options);
    if (HasFatalFailure()) FAIL() << "bits " << bits;
  }
}

TEST(VpnProfileTest, EveryCombinationOfADeviceTunnelIsValidAndWithoutMistakes) {
  for (unsigned bits = 0; bits < 1U << kSharedBits; ++bits) {
    Choice choice(bits);
    VpnProfileOptions options = SharedOptions(choice);
    options.is_device_tunnel = true;
    ExpectSound(options);
    if (HasFatalFailure()) FAIL() << "bits " << bits;
  }
}

TEST(VpnProfileTest, BothLayoutsSayTheSame) {
  const std::string indented = *WriteVpnProfile(UserOptions(), XmlLayout::kIndented);
  const std::string one_line = *WriteVpnProfile(UserOptions(), XmlLayout::kOneLine);
  EXPECT_THAT(one_line, Not(HasSubstr("\n")));
  std::string joined;
  for (std::size_t i = 0; i < indented.size(); ++i) {
    if (indented[i] == '\n') {
      while (i + 1 < indented.size() && indented[i + 1] == ' ') ++i;
    } else {
      joined += indented[i];
    }
  }
  EXPECT_EQ(joined, one_line);
}

TEST(VpnProfileTest, WhatMeansSomethingInXmlIsText) {
  VpnProfileOptions options = UserOptions();
  options.servers[0].label = "A&B <\"Zentrale\"> M\xc3\xbcnchen ]]>";
  const std::string xml = *WriteVpnProfile(options, XmlLayout::kIndented);
  for (const char c : xml) ASSERT_LT(static_cast<unsigned char>(c), 0x80U);
  const xml::Reading reading = xml::Read(xml);
  ASSERT_NE(reading.root, nullptr);
  EXPECT_EQ(reading.root->Find({"NativeProfile", "Servers"})->text,
            "vpn.contoso.example;" + options.servers[0].label);
}

template <typename Change>
absl::Status After(VpnProfileOptions options, Change change) {
  change(options);
  return CheckOptions(options);
}

TEST(VpnProfileTest, AsksForWhatIsMissing) {
  EXPECT_OK(CheckOptions(UserOptions()));
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.servers.clear(); }),
              FailsWith(ErrorReason::kFieldMissing, "--server"));
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.radius_names.clear(); }),
              FailsWith(ErrorReason::kFieldMissing, "--radius-name"));
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.server_roots.clear(); }),
              FailsWith(ErrorReason::kFieldMissing, "--server-root"));
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.routes.clear(); }),
              FailsWith(ErrorReason::kFieldMissing, "--route"));
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.sso->issuers.clear(); }),
              FailsWith(ErrorReason::kFieldMissing, "--sso-issuer"));
}

TEST(VpnProfileTest, RefusesWhatDoesNotGoTogether) {
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.is_force_tunnel = true; }),
              FailsWith(ErrorReason::kFieldInvalid, "--route"));
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.sso->purposes = {"1.3.6.1.4.1.311.87"}; }),
              FailsWith(ErrorReason::kFieldInvalid, "--sso-eku"));
  EXPECT_OK(CheckOptions(DeviceOptions()));
  const auto user = UserOptions();
  EXPECT_THAT(After(DeviceOptions(), [](auto& o) { o.protocol = TunnelProtocol::kAutomatic; }),
              FailsWith(ErrorReason::kFieldInvalid, "--protocol"));
  EXPECT_THAT(After(DeviceOptions(), [](auto& o) { o.method = EapMethod::kPeapEapTls; }),
              FailsWith(ErrorReason::kFieldInvalid, "--method"));
  EXPECT_THAT(After(DeviceOptions(), [&](auto& o) { o.radius_names = user.radius_names; }),
              FailsWith(ErrorReason::kFieldInvalid, "--radius-name"));
  EXPECT_THAT(After(DeviceOptions(), [&](auto& o) { o.server_roots = user.server_roots; }),
              FailsWith(ErrorReason::kFieldInvalid, "--server-root"));
  EXPECT_THAT(After(DeviceOptions(), [&](auto& o) { o.issuer_roots = {kTenantRoot}; }),
              FailsWith(ErrorReason::kFieldInvalid, "--pin-roots"));
  EXPECT_THAT(After(DeviceOptions(), [&](auto& o) { o.sso = user.sso; }),
              FailsWith(ErrorReason::kFieldInvalid, "--sso-issuer"));
  EXPECT_THAT(After(DeviceOptions(), [&](auto& o) { o.name_rules = user.name_rules; }),
              FailsWith(ErrorReason::kFieldInvalid, "--name-rule"));
}

// Nothing of what a name might bring along gets into a profile.
TEST(VpnProfileTest, RefusesValuesThatWouldMeanSomethingElse) {
  for (const char* bad :
       {"vpn contoso", "vpn;contoso", "vpn\ncontoso", "vpn\"", "vpn'", "v\xc3\xa9pn", "vpn,b", "",
        "<a>", "-vpn", "vpn..example", "vpn.example."}) {
    EXPECT_THAT(After(UserOptions(), [&](auto& o) { o.servers[0].host = bad; }),
                FailsWith(ErrorReason::kFieldInvalid, "--server"))
        << bad;
    EXPECT_THAT(After(UserOptions(), [&](auto& o) { o.dns_suffixes = {bad}; }),
                FailsWith(ErrorReason::kFieldInvalid, "--dns-suffix"))
        << bad;
    EXPECT_THAT(After(UserOptions(), [&](auto& o) { o.trusted_networks = {bad}; }),
                FailsWith(ErrorReason::kFieldInvalid, "--trusted-network"))
        << bad;
  }
  for (const char* bad : {"a,b", "a;b", "a\nb", "a\xe2\x80\x8b", "\xff"}) {
    EXPECT_THAT(After(UserOptions(), [&](auto& o) { o.servers[0].label = bad; }),
                FailsWith(ErrorReason::kFieldInvalid, "--server"))
        << bad;
  }
  for (const char* bad : {"nps 1", "nps;a", "nps,a", "n\xc3\xbcrnberg", "nps\n", ""}) {
    EXPECT_THAT(After(UserOptions(), [&](auto& o) { o.radius_names = {bad}; }),
                FailsWith(ErrorReason::kFieldInvalid, "--radius-name"))
        << bad;
  }
  for (const char* bad : {"https://corp.example", "*.corp", "10.0.0.1"}) {
    EXPECT_THAT(After(UserOptions(), [&](auto& o) { o.trusted_networks = {bad}; }),
                FailsWith(ErrorReason::kFieldInvalid, "--trusted-network"))
        << bad;
  }
}

TEST(OptionRulesTest, ReadValuesOfSeveralParts) {
  EXPECT_EQ(ParseServer("vpn.example;Head office")->label, "Head office");
  EXPECT_THAT(ParseServer("vpn example"), FailsWith(ErrorReason::kFieldInvalid, "--server"));
  EXPECT_EQ(ParseRoute("10.0.0.0/8")->size, 8);
  for (const char* bad : {"10.0.0.0", "10.0.0.0/33", "10.0.0/8", "a/8", "10.0.0.0/-1", "::/129"}) {
    EXPECT_THAT(ParseRoute(bad), FailsWith(ErrorReason::kFieldInvalid, "--route")) << bad;
  }
  const absl::Status host_bits =
      After(UserOptions(), [](auto& o) { o.routes = {*ParseIpPrefix("10.21.12.5/24")}; });
  EXPECT_THAT(host_bits, FailsWith(ErrorReason::kFieldInvalid, "--route"));
  EXPECT_THAT(std::string(host_bits.message()), HasSubstr("10.21.12.0/24 is the network"));
  EXPECT_EQ(ParseNameRule(".a.example=10.0.0.1,10.0.0.2")->dns_servers.size(), 2U);
  EXPECT_THAT(After(UserOptions(), [](auto& o) { o.name_rules = {*ParseNameRule(".a=dns1")}; }),
              FailsWith(ErrorReason::kFieldInvalid, "--name-rule"));
  EXPECT_EQ(ParseTrafficRule("protocol=udp")->protocol, 17);
  for (const char* bad : {"port=1", "app=", "app=a;app=b", "direction=up", "protocol=x", ""}) {
    EXPECT_THAT(ParseTrafficRule(bad), FailsWith(ErrorReason::kFieldInvalid, "--traffic-filter"))
        << bad;
  }
  for (const char* bad :
       {"remote-ports=443", "protocol=tcp;remote-ports=70000", "protocol=tcp;remote-ports=9-1",
        "remote-addresses=10.0.0.1/8", "remote-addresses=host", "protocol=256"}) {
    EXPECT_THAT(After(UserOptions(), [&](auto& o) { o.traffic_rules = {*ParseTrafficRule(bad)}; }),
                FailsWith(ErrorReason::kFieldInvalid, "--traffic-filter"))
        << bad;
  }
  EXPECT_OK(CheckProfileName("Contoso VPN 'A' \xc3\xa9"));
  for (const char* bad : {"a/b", " a", "a ", "a\nb", "\xff"}) {
    EXPECT_THAT(CheckProfileName(bad), FailsWith(ErrorReason::kFieldInvalid, "--name")) << bad;
  }
  EXPECT_THAT(CheckProfileName(""), FailsWith(ErrorReason::kFieldMissing, "--name"));
}

}  // namespace
}  // namespace hourglass::profiles
