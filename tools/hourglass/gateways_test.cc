// The program as its users meet it: kits for gateways.
#include <filesystem>

#include "tests/support/temporary_directory.h"
#include "tools/hourglass/scripted_service.h"

namespace hourglass::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class GatewaysTest : public HourglassTest {
 protected:
  GatewaysTest() {
    roots_.root.set_state(v1::PRIMARY);
    v1::Root other = roots_.root;
    other.set_root_id("r2");
    other.set_state(v1::STAGED);
    roots_.others.push_back(other);
    other.set_root_id("r0");
    other.set_state(v1::RETIRED);
    roots_.others.push_back(other);
    directory_.Write("secret", "it's a shared \"secret\"\n");
  }

  // `gateways kit freeradius` into the folder of this name, with more words.
  CommandResult Kit(const std::string& folder, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"gateways",
                                      "kit",
                                      "freeradius",
                                      "--tenant",
                                      "contoso",
                                      "--out",
                                      directory_.File(folder),
                                      "--set",
                                      "gateway_address=192.0.2.1",
                                      "--set-file",
                                      "gateway_secret=" + directory_.File("secret"),
                                      "--set",
                                      "server_certificate=/etc/radius/server.pem",
                                      "--set",
                                      "server_key=/etc/radius/server.key"};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  std::string Written(const std::string& path) const {
    return ReadFileOrDie(directory_.File(path));
  }
  bool Exists(const std::string& path) const {
    return std::filesystem::exists(directory_.File(path));
  }

  const TemporaryDirectory directory_;
};

TEST_F(GatewaysTest, AKitHasTheLiveRootsAndSaysWhatToDo) {
  const CommandResult written = Kit("kit", {"--server", "ca.contoso.example:8443"});
  EXPECT_EQ(written.exit_code, 0) << written.output;
  EXPECT_EQ(script_.Last<v1::ListRootsRequest>().tenant_id(), "contoso");
  EXPECT_THAT(
      written.output,
      AllOf(StartsWith("Wrote 8 files for freeradius of tenant contoso to "),
            HasSubstr("/kit, with r1 (signs), r2:\n"), HasSubstr("\n  clients.conf  (secret)\n"),
            HasSubstr("\nREADME:\n1. Put these")));
  EXPECT_THAT(Written("kit/clients.conf"), HasSubstr("secret = 'it\\'s a shared \"secret\"'\n"));
  EXPECT_THAT(Written("kit/roots.pem"),
              AllOf(StartsWith("# root r1 of contoso, SHA-256 "),
                    HasSubstr("\n# root r2 of contoso"), Not(HasSubstr("r0"))));
  EXPECT_THAT(Written("kit/follower/hourglass-bundle-freeradius.yaml"),
              HasSubstr("server: \"ca.contoso.example:8443\"\n"));
  EXPECT_THAT(OpensslSays("crl2pkcs7 -nocrl -certfile " + directory_.File("kit/roots.pem")),
              HasSubstr("BEGIN PKCS7"));
}

TEST_F(GatewaysTest, InJsonItSaysWhatWasWritten) {
  const CommandResult written = Kit("kit", {"--json"});
  const Json json = Json::parse(written.output, nullptr, false);
  EXPECT_EQ(json["kind"], "freeradius");
  EXPECT_EQ(json["roots"][0]["root_id"], "r1");
  EXPECT_EQ(json["roots"].size(), 2U);
  EXPECT_EQ(json["files"].size(), 8U);
  EXPECT_THAT(written.output, Not(HasSubstr("shared")));
}

TEST_F(GatewaysTest, NothingIsOverwrittenUnasked) {
  ASSERT_EQ(Kit("kit").exit_code, 0);
  directory_.Write("kit/radiusd.conf", "changed");
  const CommandResult refused = Kit("kit");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("FIELD_INVALID: --out: "),
                                    HasSubstr(" is there already"), HasSubstr("--force")));
  EXPECT_EQ(Written("kit/radiusd.conf"), "changed");
  EXPECT_EQ(Kit("kit", {"--force"}).exit_code, 0);
  EXPECT_THAT(Written("kit/radiusd.conf"), HasSubstr("server vpn {"));
}

TEST_F(GatewaysTest, ATenantWithoutAPrimaryHasNoKit) {
  roots_.root.set_state(v1::STAGED);
  const CommandResult refused = Kit("kit");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("NO_PRIMARY_ROOT: --tenant: tenant contoso has no "),
                                    HasSubstr("hourglass roots promote")));
  EXPECT_FALSE(Exists("kit"));
}

TEST_F(GatewaysTest, WhatIsMissingIsAskedForByName) {
  const CommandResult refused = Run("gateways kit freeradius --tenant contoso --out " +
                                    directory_.File("kit") + " --set gateway_address=192.0.2.1");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("FIELD_MISSING: gateway_secret, server_certificate, server_key: "),
                    HasSubstr("must be given: --set-file gateway_secret=FILE (the secret")));
  EXPECT_FALSE(Exists("kit"));
}

TEST_F(GatewaysTest, WhatCannotBeIsRefusedByName) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"--set", "listen_port=0"}, "FIELD_INVALID: listen_port: "},
      {{"--set", "folder=/a b"}, "FIELD_INVALID: folder: "},
      {{"--set", "listen_port"}, "FIELD_INVALID: --set: "},
      {{"--set", "gateway_address=192.0.2.2"}, "FIELD_INVALID: gateway_address: is given twice"},
      {{"--set", "gateway_secret=another"}, "FIELD_INVALID: gateway_secret: is given twice"},
      {{"--set", "secret=x"}, "FIELD_INVALID: secret: the kit freeradius has no such value"},
      {{"--server", "ca.contoso.example"}, "FIELD_INVALID: --server: "},
      {{"--server", "a\"b:1"}, "FIELD_INVALID: --server: "},
  };
  for (const auto& [more, reason] : cases) {
    const CommandResult refused = Kit("kit", more);
    EXPECT_EQ(refused.exit_code, 1) << more[1];
    EXPECT_THAT(refused.output, AllOf(HasSubstr(reason), Not(HasSubstr("it's a shared"))));
    EXPECT_FALSE(Exists("kit"));
  }
  const CommandResult unknown =
      Run("gateways kit cisco --tenant contoso --out " + directory_.File("kit"));
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("freeradius"));
}

TEST_F(GatewaysTest, KindsNeedNoService) {
  const CommandResult kinds = RunCommand({kProgram, "gateways", "kinds"});
  EXPECT_EQ(kinds.exit_code, 0) << kinds.output;
  EXPECT_THAT(kinds.output,
              AllOf(HasSubstr("freeradius: FreeRADIUS 3.2"), HasSubstr("strongswan: "),
                    HasSubstr("windows: "), HasSubstr("\ngateway_secret "),
                    HasSubstr("must be given, by --set-file"), HasSubstr("\nfollower_folder ")));
  const Json one = Json::parse(
      RunCommand({kProgram, "gateways", "kinds", "strongswan", "--json"}).output, nullptr, false);
  ASSERT_EQ(one["kits"].size(), 1U);
  EXPECT_EQ(one["kits"][0]["values"][0]["name"], "variant");
  EXPECT_EQ(one["kits"][0]["values"][0]["required"], true);
}

}  // namespace
}  // namespace hourglass::cli
