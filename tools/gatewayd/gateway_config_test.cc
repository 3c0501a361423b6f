#include "tools/gatewayd/gateway_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tools/gatewayd/gateway_state.h"

namespace hourglass::gatewayd {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr char kService[] =
    "server: ca.contoso.example:8443\n"
    "tls: {certificate: c.pem, private_key: c.key, trusted_roots: r.pem}\n"
    "tenant: contoso\n"
    "state: gatewayd.state\n";

class GatewayConfigTest : public testing::Test {
 protected:
  GatewayConfigTest() {
    directory_.Write("secret", "testing123\n");
    directory_.Write("two", "testing\n123\n");
  }

  absl::StatusOr<GatewayConfig> Parse(const std::string& gateways) const {
    return ParseGatewayConfig(absl::StrCat(kService, gateways), directory_.File("gateway.yaml"));
  }
  void ExpectMistake(const std::string& gateways, const std::string& what) const {
    const auto config = Parse(gateways);
    EXPECT_THAT(config.status(), FailsWith(ErrorReason::kConfigurationInvalid));
    EXPECT_THAT(std::string(config.status().message()), HasSubstr(what)) << gateways;
  }

  TemporaryDirectory directory_;
};

TEST_F(GatewayConfigTest, AllThatItMaySay) {
  ASSERT_OK_AND_ASSIGN(
      const GatewayConfig config,
      Parse("strongswan:\n"
            "  - {vici: /run/charon.vici, connections: [vpn]}\n"
            "  - {vici: '127.0.0.1:4502'}\n"
            "openvpn:\n"
            "  - {management: /run/openvpn/server.sock, password_file: secret}\n"
            "radius:\n"
            "  - {nas: '192.0.2.1:3799', secret_file: secret, nas_identifier: vpn-1,\n"
            "     message_authenticator: false}\n"
            "refused:\n"
            "  - {folder: refused}\n"
            "  - {folder: /srv/refused, names: hexadecimal}\n"));
  EXPECT_EQ(config.tenant, "contoso");
  EXPECT_EQ(config.state, directory_.File("gatewayd.state"));
  ASSERT_THAT(config.strongswan, SizeIs(2));
  EXPECT_THAT(config.strongswan[0].connections, testing::ElementsAre("vpn"));
  EXPECT_EQ(config.openvpn[0].password, "testing123");
  EXPECT_EQ(config.radius[0].secret, "testing123");
  EXPECT_FALSE(config.radius[0].message_authenticator);
  EXPECT_EQ(config.refused[0].folder, directory_.File("refused"));
  EXPECT_EQ(config.refused[0].form, SerialForm::kDecimal);
  EXPECT_EQ(config.refused[1].form, SerialForm::kHexadecimal);
  EXPECT_THAT(MakeGateways(config), SizeIs(6));
}

TEST_F(GatewayConfigTest, MistakesAreNamedWithTheirLine) {
  ExpectMistake("", "names nothing whose tunnels end");
  ExpectMistake("strongswan: [{vici: charon.vici}]\n", "gateway.yaml:5: strongswan[0].vici: ");
  ExpectMistake("strongswan: [{vici: /run/charon.vici, conections: [a]}]\n", "conections");
  ExpectMistake("strongswan: []\n", "strongswan");
  ExpectMistake("openvpn: [{management: 'vpn.contoso.example:7505'}]\n", "an IP address");
  ExpectMistake("openvpn: [{management: /m, password_file: none}]\n", "openvpn[0].password_file");
  ExpectMistake("radius: [{nas: /run/nas, secret_file: secret}]\n", "radius[0].nas");
  ExpectMistake("radius: [{nas: '192.0.2.1', secret_file: secret}]\n", "must be ADDRESS:PORT");
  ExpectMistake("radius: [{nas: '192.0.2.1:3799'}]\n", "radius[0].secret_file");
  ExpectMistake("radius: [{nas: '192.0.2.1:3799', secret_file: two}]\n", "must hold one line");
  ExpectMistake("refused: [{folder: a, names: octal}]\n", "refused[0].names");
  ExpectMistake(absl::StrCat("strongswan: [{vici: /", std::string(200, 'x'), "}]\n"),
                "at most 107 octets");
}

TEST_F(GatewayConfigTest, AStateIsReadAsItWasWrittenAndOfItsTenantOnly) {
  const std::string path = directory_.File("gatewayd.state");
  ASSERT_OK_AND_ASSIGN(const GatewayState none, LoadState(path, "contoso"));
  EXPECT_EQ(none.cursor, "");
  ASSERT_OK(SaveState(path, {.tenant = "contoso", .cursor = "7-0123456789abcdef"}));
  ASSERT_OK_AND_ASSIGN(const GatewayState state, LoadState(path, "contoso"));
  EXPECT_EQ(state.cursor, "7-0123456789abcdef");
  const auto others = LoadState(path, "fabrikam");
  EXPECT_THAT(others.status(), FailsWith(ErrorReason::kFieldInvalid, "state"));
  EXPECT_THAT(std::string(others.status().message()), HasSubstr("of the tenant contoso"));
  for (const char* damaged : {"", "{}", "[]", "{\"tenant_id\": \"contoso\"}",
                              "{\"tenant_id\": \"contoso\", \"cursor\": 7}",
                              "{\"tenant_id\": \"contoso\", \"cursor\": \"a\\nb\"}"}) {
    directory_.Write("gatewayd.state", damaged);
    const auto state_of_it = LoadState(path, "contoso");
    EXPECT_THAT(state_of_it.status(), FailsWith(ErrorReason::kFieldInvalid, "state"));
    EXPECT_THAT(std::string(state_of_it.status().message()), HasSubstr("is damaged")) << damaged;
  }
}

}  // namespace
}  // namespace hourglass::gatewayd
