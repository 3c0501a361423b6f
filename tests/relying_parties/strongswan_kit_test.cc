// What the kit of strongSwan writes, read by charon and swanctl themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/relying_parties/charon_gateway.h"
#include "tests/relying_parties/kit_files.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/support/loopback.h"
#include "tests/support/own_processes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/tunnels_required.h"
#include "tools/gateways/follower.h"

namespace hourglass {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kLoad[] = "--load-all --noprompt --clear --file swanctl/swanctl.conf";
constexpr char kOddSecret[] = "a\"b\\c;d#e{f}=g $h 'i' \xC3\xA9 j";

gateways::Values Variant(const std::string& variant) {
  gateways::Values values = {{"variant", variant},
                             {"pool", "10.20.0.0/24"},
                             {"networks", "10.30.0.0/16,fd00:30::/32"},
                             {"dns", "10.30.0.53"}};
  if (variant != "eap-radius") return values;
  values["radius_server"] = "radius.contoso.example";
  values["radius_secret"] = kOddSecret;
  return values;
}

class StrongswanKitTest : public testing::Test {
 protected:
  // Without rights it is skipped.
  static void SetUpTestSuite() { KeepProcessesTogether(); }
  void SetUp() override {
    if (geteuid() == 0) return;
    ASSERT_FALSE(TunnelsAreRequired()) << "charon needs root";
    GTEST_SKIP() << "SKIPPED: charon needs root";
  }

  std::string Roots() const { return absl::StrCat(first_.root_pem(), second_.root_pem()); }

  const OpensslCa first_{"/CN=Contoso VPN root CA gen 1"};
  const OpensslCa second_{"/CN=Contoso VPN root CA gen 2"};
  CharonGateway gateway_;
};

TEST_F(StrongswanKitTest, CertificatesAreSeenByTheGatewayInTwoVariants) {
  for (const char* variant : {"pubkey", "eap-tls"}) {
    CharonGateway gateway;
    ASSERT_OK(gateway.Install(SubjectOf(Roots()), Variant(variant)));
    ASSERT_TRUE(gateway.Start()) << gateway.Log();
    const CommandResult loaded = gateway.Swanctl(kLoad);
    EXPECT_EQ(loaded.exit_code, 0) << loaded.output;
    EXPECT_THAT(loaded.output, AllOf(HasSubstr("successfully loaded 1 connections, 0 unloaded"),
                                     HasSubstr("successfully loaded 1 pools, 0 unloaded"),
                                     Not(HasSubstr("fail")), Not(HasSubstr("unknown"))));
    const std::string connections = gateway.Swanctl("--list-conns").output;
    EXPECT_THAT(
        connections,
        AllOf(HasSubstr("hourglass-contoso: IKEv2, reauthentication every 3240s"),
              HasSubstr(absl::StrCat("id: ", CharonGateway::kName)),
              HasSubstr(variant == std::string("pubkey") ? "remote public key" : "remote EAP_TLS"),
              HasSubstr("cacerts: CN=Contoso VPN root CA gen 1 CN=Contoso VPN root CA gen 2"),
              HasSubstr("10.30.0.0/16 fd00:30::/32")));
  }
}

TEST_F(StrongswanKitTest, ARadiusServerDecidesInTheThird) {
  ASSERT_OK(gateway_.Install(SubjectOf(Roots()), Variant("eap-radius")));
  ASSERT_TRUE(gateway_.Start()) << gateway_.Log();
  EXPECT_THAT(gateway_.Log(), HasSubstr("loaded 1 RADIUS server configuration"));
  const CommandResult loaded = gateway_.Swanctl(kLoad);
  EXPECT_EQ(loaded.exit_code, 0) << loaded.output;
  EXPECT_THAT(loaded.output, HasSubstr("successfully loaded 1 connections, 0 unloaded"));
  const std::string connections = gateway_.Swanctl("--list-conns").output;
  EXPECT_THAT(connections, AllOf(HasSubstr("hourglass-contoso: IKEv2, no reauthentication"),
                                 HasSubstr("remote EAP_RADIUS"), HasSubstr("eap_id: %any"),
                                 Not(HasSubstr("cacerts"))));
}

TEST_F(StrongswanKitTest, WhatIsNotSoundDoesNotLoad) {
  ASSERT_OK(gateway_.Install(SubjectOf(Roots()), Variant("pubkey")));
  ASSERT_TRUE(gateway_.Start()) << gateway_.Log();
  EXPECT_EQ(gateway_.Swanctl(kLoad).exit_code, 0);
  const TemporaryDirectory other;
  const std::string broken =
      other.Write("swanctl.conf", absl::StrCat("include ", gateway_.swanctl(),
                                               "/conf.d/*.conf\nconnections {\n  x {\n    local {\n"
                                               "      auth = nothing\n    }\n  }\n}\n"));
  const CommandResult refused = gateway_.Swanctl(absl::StrCat("--load-conns --file ", broken));
  EXPECT_NE(refused.exit_code, 0) << "what the other tests take for a sign of health is one";
  EXPECT_THAT(refused.output, HasSubstr("loading connection 'x' failed: invalid value for: auth"));
}

// Whoever has the secret gets an answer to a Disconnect-Request (RFC 5176), and nobody else.
TEST_F(StrongswanKitTest, ASecretIsReadAsItWasGiven) {
  gateways::Values values = Variant("eap-radius");
  const int port = FreePort("127.0.0.1");
  values["disconnect_secret"] = kOddSecret;
  values["disconnect_port"] = absl::StrCat(port);
  ASSERT_OK(gateway_.Install(SubjectOf(Roots()), values));
  ASSERT_TRUE(gateway_.Start()) << gateway_.Log();
  const TemporaryDirectory asker;
  const auto ask = [&](const std::string& secret) {
    return RunCommand({"radclient", "-r", "1", "-t", "2", "-S", asker.Write("secret", secret),
                       absl::StrCat("127.0.0.1:", port), "disconnect"},
                      "User-Name = \"nobody\"\n")
        .output;
  };
  EXPECT_THAT(ask(kOddSecret), HasSubstr("Received Disconnect-NAK")) << gateway_.Log();
  EXPECT_THAT(ask("another secret than that"), Not(HasSubstr("Received")));
}

TEST_F(StrongswanKitTest, RootsThatChangeAreReadWithoutARestart) {
  const gateways::KitSubject subject = SubjectOf(Roots());
  ASSERT_OK(gateway_.Install(subject, Variant("eap-tls")));
  ASSERT_TRUE(gateway_.Start()) << gateway_.Log();
  ASSERT_EQ(gateway_.Swanctl(kLoad).exit_code, 0);
  const std::string at_first = gateway_.Listing();

  gateways::KitSubject rotated = subject;
  rotated.roots.erase(rotated.roots.begin());
  const OpensslCa third("/CN=Contoso VPN root CA gen 3");
  rotated.roots.push_back(SubjectOf(third.root_pem()).roots.front());
  rotated.roots.back().root_id = "r3";
  const CommandResult changed = gateway_.Reload(gateways::RootsPem(rotated));
  EXPECT_EQ(changed.exit_code, 0) << changed.output;
  EXPECT_THAT(gateway_.Swanctl("--list-conns").output,
              HasSubstr("cacerts: CN=Contoso VPN root CA gen 2 CN=Contoso VPN root CA gen 3\n"));
  EXPECT_THAT(gateway_.Swanctl("--list-certs").output,
              AllOf(HasSubstr("gen 3"), Not(HasSubstr("gen 1"))));

  EXPECT_EQ(gateway_.Reload(gateways::RootsPem(subject)).exit_code, 0);
  EXPECT_EQ(gateway_.Listing(), at_first) << "the kit and the script write the same";
  EXPECT_EQ(gateway_.Reload(gateways::RootsPem(subject)).exit_code, 0) << "twice does no harm";
  EXPECT_EQ(gateway_.Listing(), at_first);

  EXPECT_NE(gateway_.Reload("# no roots\n").exit_code, 0);
  EXPECT_EQ(gateway_.Listing(), at_first) << "what cannot be read changes nothing";
}

}  // namespace
}  // namespace hourglass
