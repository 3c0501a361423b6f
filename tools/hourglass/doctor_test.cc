// The program as its users meet it: doctors that read files. Asking a RADIUS server is in
// tests/relying_parties.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::cli {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;

constexpr char kProgram[] = "tools/hourglass/hourglass";
const char kData[] = "tools/doctor/testdata/";

CommandResult Doctor(const std::vector<std::string>& more, const std::string& input = "") {
  std::vector<std::string> command = {kProgram, "gateways", "doctor"};
  command.insert(command.end(), more.begin(), more.end());
  return RunCommand(command, input);
}

std::vector<std::string> IdsOf(const CommandResult& result) {
  std::vector<std::string> ids;
  const Json json = Json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return {result.output};
  for (const Json& finding : json["findings"]) ids.push_back(finding["id"]);
  return ids;
}

std::string Nps(const std::string& name) { return kData + ("nps/" + name + ".xml"); }
std::string Registry(const std::string& name) { return kData + ("registry/" + name + ".reg"); }

TEST(DoctorTest, WindowsExportsThatAreRight) {
  const CommandResult result = Doctor({"windows", "--nps-export", Nps("good_utf16le"),
                                       "--registry-export", Registry("good_without_mark")});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("0 errors, 0 warnings, 1 note\n"));
  EXPECT_THAT(result.output, HasSubstr("appears to be enforced"));
}

TEST(DoctorTest, WindowsExportsWithMistakes) {
  const CommandResult result =
      Doctor({"windows", "--nps-export", Nps("no_oid"), "--registry-export", Registry("missing")});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("ERROR tools/doctor/testdata/nps/no_oid.xml:"));
  EXPECT_THAT(result.output, HasSubstr("network policy \"Corp VPN\": it grants access, and no"));
  EXPECT_THAT(result.output, HasSubstr("  remedy: set the DWORD IgnoreNoRevocationCheck to 1"));
  EXPECT_THAT(result.output, Not(HasSubstr("example-secret")));
}

TEST(DoctorTest, WhatOnlyBothFilesShow) {
  EXPECT_THAT(IdsOf(Doctor({"windows", "--json", "--nps-export", Nps("forwards"),
                            "--registry-export", Registry("good")})),
              Contains("reg-of-one-server-only"));
  EXPECT_THAT(
      IdsOf(Doctor({"windows", "--json", "--nps-export", Nps("forwards"), "--registry-export",
                    Registry("good"), "--registry-export", Registry("good_utf8")})),
      Not(Contains("reg-of-one-server-only")));
  EXPECT_THAT(IdsOf(Doctor({"windows", "--json", "--nps-export", Nps("good")})),
              Contains("reg-not-given"));
  EXPECT_THAT(IdsOf(Doctor({"windows", "--json", "--registry-export", Registry("good")})),
              testing::ElementsAre("nps-not-given"));
}

TEST(DoctorTest, ConfigurationFiles) {
  const CommandResult good = Doctor({"config", "--json", std::string(kData) + "swanctl/good.conf",
                                     std::string(kData) + "openvpn/good.conf"});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_THAT(IdsOf(good), IsEmpty());
  const CommandResult bad = Doctor({"config", "--json", std::string(kData) + "swanctl/psk.conf",
                                    std::string(kData) + "openvpn/no_oid.conf"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(IdsOf(bad), testing::ElementsAre("strongswan-password", "openvpn-no-oid"));
  EXPECT_THAT(bad.output, Not(HasSubstr("never-printed-secret")));
}

TEST(DoctorTest, AFileFromStandardInputOfAGivenKind) {
  EXPECT_THAT(IdsOf(Doctor({"config", "--json", "-"}, "verb 3\n")),
              testing::ElementsAre("config-unreadable"));
  EXPECT_THAT(IdsOf(Doctor({"config", "--json", "--kind", "openvpn", "-"}, "verb 3\n")),
              testing::ElementsAre("openvpn-no-server"));
}

TEST(DoctorTest, WrongUsageAndFilesThatAreNotThere) {
  EXPECT_EQ(Doctor({"windows"}).exit_code, 2);
  EXPECT_EQ(Doctor({"config"}).exit_code, 2);
  EXPECT_EQ(Doctor({"config", "--kind", "nginx", "-"}).exit_code, 2);
  EXPECT_EQ(Doctor({"radius", "127.0.0.1"}).exit_code, 2);
  const CommandResult missing = Doctor({"config", "no/such/file"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.output, HasSubstr("no/such/file"));
}

TEST(DoctorTest, ServersThatAreNone) {
  const TemporaryDirectory files;
  const std::string secret = files.Write("secret", "shared");
  for (const char* server :
       {":1812", "host:", "host:0", "host:65536", "host:x", "[::1", "[::1]x"}) {
    const CommandResult result = Doctor(
        {"radius", server, "--secret-file", secret, "--certificate", secret, "--key", secret});
    EXPECT_EQ(result.exit_code, 1) << server;
    EXPECT_THAT(result.output, HasSubstr("SERVER: give HOST[:PORT]")) << server;
  }
  // The positive control: what follows is looked at.
  for (const char* server : {"host", "host:1645", "::1", "[::1]", "[::1]:1645"}) {
    EXPECT_THAT(Doctor({"radius", server, "--secret-file", secret, "--certificate", secret, "--key",
                        secret})
                    .output,
                HasSubstr("certificate: it holds no certificate in PEM"))
        << server;
  }
}

}  // namespace
}  // namespace hourglass::cli
