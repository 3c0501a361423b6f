// How the kits of servers treat users and networks. What holds for every kit is in
// tools/gateways/kits_test.cc, and the programs themselves are asked in
// tests/relying_parties/matrix.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tools/gateways/kit.h"
#include "tools/gateways/kits/apache.h"
#include "tools/gateways/kits/haproxy.h"
#include "tools/gateways/kits/nginx.h"
#include "tools/gateways/kits/openvpn.h"
#include "tools/gateways/kits/stunnel.h"

namespace hourglass::gateways {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

absl::StatusOr<std::map<std::string, std::string>> FilesOf(const Kit& kit, const Values& more) {
  Values values = more;
  const Values defaults = {{"server_name", "gateway.contoso.example"},
                           {"server_certificate", "/etc/ssl/server.pem"},
                           {"server_key", "/etc/ssl/server.key"},
                           {"backend_host", "127.0.0.1"},
                           {"backend_port", "8080"},
                           {"tunnel_network", "10.8.0.0/24"},
                           {"protected_network", "10.0.0.0/16"}};
  for (const KitValue& value : kit.values) {
    const auto found = defaults.find(value.name);
    if (found != defaults.end()) values.insert(*found);
  }
  const auto complete = CompleteValues(kit, values);
  if (!complete.ok()) return complete.status();
  const auto files = kit.write({"contoso",
                                "ca.contoso.example:8443",
                                {{"r1", "Contoso VPN root CA gen 1", "-----PEM of r1\n",
                                  "DER of r1", std::string(40, '0'), true}}},
                               *complete);
  if (!files.ok()) return files.status();
  std::map<std::string, std::string> contents;
  for (const KitFile& file : *files) contents[file.path] = file.content;
  return contents;
}

Values Users(const std::string& users) { return {{"allowed_users", users}}; }

const Kit* const kWithUsers[] = {&NginxKit(), &HaproxyKit(), &ApacheKit(), &OpenvpnKit()};

TEST(AllowedUsersTest, WithoutThemEverybodyComesIn) {
  ASSERT_OK_AND_ASSIGN(auto nginx, FilesOf(NginxKit(), {}));
  EXPECT_THAT(nginx["hourglass.conf"], HasSubstr("is_allowed {\n\tdefault 1;\n}\n"));
  ASSERT_OK_AND_ASSIGN(auto haproxy, FilesOf(HaproxyKit(), {}));
  EXPECT_THAT(haproxy["haproxy.cfg"], Not(HasSubstr("another user's")));
  ASSERT_OK_AND_ASSIGN(auto apache, FilesOf(ApacheKit(), {}));
  EXPECT_THAT(apache["hourglass.conf"], Not(HasSubstr(" in { ")));
  ASSERT_OK_AND_ASSIGN(auto openvpn, FilesOf(OpenvpnKit(), {}));
  EXPECT_THAT(openvpn["server.conf"], Not(HasSubstr("tls-verify")));
  EXPECT_EQ(openvpn.count("check-user"), 0u);
}

TEST(AllowedUsersTest, AreWrittenAsEachProgramReadsThem) {
  const Values users = Users("o'brien@contoso.example, ~x$1#y@contoso.example");
  ASSERT_OK_AND_ASSIGN(auto nginx, FilesOf(NginxKit(), users));
  EXPECT_THAT(nginx["hourglass.conf"],
              HasSubstr("is_allowed {\n\tdefault 0;\n\t\"\\o'brien@contoso.example\" 1;\n"
                        "\t\"\\~x$1#y@contoso.example\" 1;\n}\n"));
  ASSERT_OK_AND_ASSIGN(auto haproxy, FilesOf(HaproxyKit(), users));
  EXPECT_EQ(haproxy["users.lst"], "o'brien@contoso.example\n~x$1#y@contoso.example\n");
  EXPECT_THAT(haproxy["haproxy.cfg"], HasSubstr(" -f /etc/haproxy/hourglass/users.lst\n"));
  ASSERT_OK_AND_ASSIGN(auto apache, FilesOf(ApacheKit(), users));
  EXPECT_THAT(apache["hourglass.conf"],
              HasSubstr("_0} in { 'o\\'brien@contoso.example', '~x\\$1#y@contoso.example' }\"\n"));
  ASSERT_OK_AND_ASSIGN(auto openvpn, FilesOf(OpenvpnKit(), users));
  EXPECT_EQ(openvpn["users"], "o'brien@contoso.example\n~x$1#y@contoso.example\n");
  EXPECT_THAT(openvpn["server.conf"], HasSubstr("\nscript-security 2\ntls-verify \"/bin/sh "
                                                "/etc/openvpn/server/hourglass.d/check-user\"\n"));
}

TEST(AllowedUsersTest, WhatIsNoUserPrincipalNameIsRefused) {
  for (const Kit* kit : kWithUsers) {
    EXPECT_OK(FilesOf(*kit, Users("alice@contoso.example")).status());
    for (const char* bad :
         {"alice", "alice@contoso.example,", "alice@contoso.example\n", "a\"b@contoso.example",
          "a\\b@contoso.example", "a b@contoso.example", "a;b@contoso.example",
          "../x@contoso.example", "a{b@contoso.example", "\xff@contoso.example"}) {
      EXPECT_THAT(FilesOf(*kit, Users(bad)).status(),
                  FailsWith(ErrorReason::kFieldInvalid, "allowed_users"))
          << kit->kind << " " << bad;
    }
  }
}

TEST(AllowedUsersTest, WhatAProgramCannotTellApartIsRefused) {
  const std::string longer = absl::StrCat(std::string(60, 'a'), "@contoso.example");
  const Values long_name = Users(longer);
  EXPECT_OK(FilesOf(NginxKit(), long_name).status());
  EXPECT_OK(FilesOf(ApacheKit(), long_name).status());
  for (const Kit* kit : {&HaproxyKit(), &OpenvpnKit()}) {
    EXPECT_THAT(FilesOf(*kit, long_name).status(),
                FailsWith(ErrorReason::kFieldInvalid, "allowed_users"));
  }
  EXPECT_THAT(FilesOf(HaproxyKit(), Users("#a@contoso.example")).status(),
              FailsWith(ErrorReason::kFieldInvalid, "allowed_users"));
  EXPECT_OK(FilesOf(HaproxyKit(), Users("m\u00fcller@contoso.example")).status());
  EXPECT_OK(FilesOf(OpenvpnKit(), Users("m\u00fcller@contoso.example")).status());
}

TEST(OpenvpnKitTest, NetworksBecomeMasks) {
  ASSERT_OK_AND_ASSIGN(
      auto files, FilesOf(OpenvpnKit(), {{"tunnel_network", "10.8.0.0/20"}, {"protocol", "tcp"}}));
  EXPECT_THAT(files["server.conf"], AllOf(HasSubstr("\nserver 10.8.0.0 255.255.240.0\n"),
                                          HasSubstr("\npush \"route 10.0.0.0 255.255.0.0\"\n"),
                                          HasSubstr("\nproto tcp-server\n")));
  for (const char* bad : {"10.8.0.1/24", "fd00::/8", "10.8.0.0", "10.8.0.0/33"}) {
    EXPECT_THAT(FilesOf(OpenvpnKit(), {{"tunnel_network", bad}}).status(),
                FailsWith(ErrorReason::kFieldInvalid, "tunnel_network"))
        << bad;
  }
  EXPECT_THAT(FilesOf(OpenvpnKit(), {{"protocol", "tcp6"}}).status(),
              FailsWith(ErrorReason::kFieldInvalid, "protocol"));
}

TEST(OpenvpnKitTest, TellsWhatHourglassGatewaydNeeds) {
  ASSERT_OK_AND_ASSIGN(auto without, FilesOf(OpenvpnKit(), {}));
  EXPECT_THAT(without["server.conf"],
              AllOf(HasSubstr("\nx509-username-field CN serialNumber\n"),
                    HasSubstr("\nmanagement /run/openvpn-server/hourglass.sock unix\n"),
                    Not(HasSubstr("\ncrl-verify "))));
  ASSERT_OK_AND_ASSIGN(auto with, FilesOf(OpenvpnKit(), {{"refused_folder", "/var/lib/refused"}}));
  EXPECT_THAT(with["server.conf"], HasSubstr("\ncrl-verify /var/lib/refused dir\n"));
  for (const char* bad : {"refused", "/var/lib/two words", "/var/lib/x\ny", "/var/lib/\"x"}) {
    EXPECT_THAT(FilesOf(OpenvpnKit(), {{"refused_folder", bad}}).status(),
                FailsWith(ErrorReason::kFieldInvalid, "refused_folder"))
        << bad;
  }
}

TEST(ApacheKitTest, ListensWhereDebianDoesNot) {
  ASSERT_OK_AND_ASSIGN(auto usual, FilesOf(ApacheKit(), {}));
  EXPECT_THAT(usual["hourglass.conf"], Not(HasSubstr("\nListen ")));
  ASSERT_OK_AND_ASSIGN(auto other, FilesOf(ApacheKit(), {{"listen_port", "8443"}}));
  EXPECT_THAT(other["hourglass.conf"], HasSubstr("\nListen 0.0.0.0:8443\n"));
}

TEST(StunnelKitTest, SaysWhatItCannotDo) {
  ASSERT_OK_AND_ASSIGN(auto files, FilesOf(StunnelKit(), {}));
  EXPECT_THAT(files["README"], HasSubstr("IT CANNOT CHECK CONDITIONAL ACCESS"));
  EXPECT_THAT(files["hourglass.conf"], HasSubstr("; STUNNEL CANNOT CHECK CONDITIONAL ACCESS"));
}

TEST(TlsServerTest, AddressesOfIpv6AreInBrackets) {
  ASSERT_OK_AND_ASSIGN(
      auto files, FilesOf(NginxKit(), {{"listen_address", "::"}, {"backend_host", "2001:db8::1"}}));
  EXPECT_THAT(files["hourglass.conf"], AllOf(HasSubstr("listen [::]:443 ssl;"),
                                             HasSubstr("proxy_pass http://[2001:db8::1]:8080;")));
}

}  // namespace
}  // namespace hourglass::gateways
