// What holds for every kit, and how each treats what an administrator gives.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hsm/base/error.h"
#include "tests/support/status_matchers.h"
#include "tools/gateways/kit.h"

namespace hourglass::gateways {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kSecret[] = "0123456789abcdef";

KitSubject Contoso() {
  return {"contoso",
          "ca.contoso.example:8443",
          {{"r2", "Contoso VPN root CA gen 2", "-----PEM of r2\n", "DER of r2",
            "BB00000000000000000000000000000000000002", true},
           {"r1", "Contoso VPN root CA gen 1", "-----PEM of r1\n", "DER of r1",
            "AA00000000000000000000000000000000000001", false}}};
}

// A kit with values that it accepts.
struct Case {
  std::string name;
  std::string kind;
  Values values;
};

std::vector<Case> Cases() {
  const Values strongswan = {{"gateway_name", "vpn.contoso.example"},
                             {"pool", "10.20.0.0/24"},
                             {"networks", "10.0.0.0/8"}};
  std::vector<Case> cases = {{"freeradius",
                              "freeradius",
                              {{"gateway_address", "192.0.2.1"},
                               {"gateway_secret", kSecret},
                               {"server_certificate", "/etc/radius/server.pem"},
                               {"server_key", "/etc/radius/server.key"},
                               {"refused_folder", "/var/lib/refused"}}},
                             {"windows", "windows", {{"connection_name", "Contoso VPN"}}}};
  for (const char* variant : {"pubkey", "eap-tls", "eap-radius"}) {
    Values values = strongswan;
    values["variant"] = variant;
    if (values["variant"] == "eap-radius") {
      values.insert({{"radius_server", "192.0.2.2"},
                     {"radius_secret", kSecret},
                     {"disconnect_secret", kSecret}});
    }
    cases.push_back({absl::StrCat("strongswan ", variant), "strongswan", values});
  }
  const Values server = {{"server_certificate", "/etc/ssl/server.pem"}};
  const Values application = {{"backend_host", "127.0.0.1"}, {"backend_port", "8080"}};
  const Values key = {{"server_key", "/etc/ssl/server.key"}};
  const Values name = {{"server_name", "gateway.contoso.example"}};
  const auto all = [](std::initializer_list<Values> parts) {
    Values values;
    for (const Values& part : parts) values.insert(part.begin(), part.end());
    return values;
  };
  cases.push_back({"nginx", "nginx", all({server, key, name, application})});
  cases.push_back({"apache", "apache", all({server, key, name, application})});
  cases.push_back({"haproxy", "haproxy", all({server, application})});
  cases.push_back({"stunnel", "stunnel", all({server, key, application})});
  cases.push_back({"openvpn", "openvpn",
                   all({server,
                        key,
                        {{"protocol", "udp"},
                         {"tunnel_network", "10.8.0.0/24"},
                         {"protected_network", "10.0.0.0/16"}}})});
  return cases;
}

const Case& CaseOf(absl::string_view name) {
  static const auto* const kCases = new std::vector<Case>(Cases());
  return *std::find_if(kCases->begin(), kCases->end(),
                       [&](const Case& one) { return one.name == name; });
}

absl::StatusOr<std::vector<KitFile>> Write(const Case& one, const Values& changes = {}) {
  Values values = one.values;
  for (const auto& [name, value] : changes) values[name] = value;
  const Kit& kit = *FindKit(one.kind);
  const auto complete = CompleteValues(kit, values);
  if (!complete.ok()) return complete.status();
  return kit.write(Contoso(), *complete);
}

std::map<std::string, std::string> FilesOf(const Case& one, const Values& changes = {}) {
  std::map<std::string, std::string> contents;
  const auto files = Write(one, changes);
  EXPECT_OK(files.status()) << one.name;
  if (!files.ok()) return contents;
  for (const KitFile& file : *files) contents[file.path] = file.content;
  return contents;
}

TEST(KitsTest, EveryKindIsTriedHere) {
  for (const Kit* kit : Kits()) {
    const std::vector<Case> cases = Cases();
    EXPECT_TRUE(std::any_of(cases.begin(), cases.end(), [&](const Case& one) {
      return one.kind == kit->kind;
    })) << kit->kind;
    EXPECT_EQ(FindKit(kit->kind), kit);
  }
  EXPECT_EQ(FindKit("none"), nullptr);
}

TEST(KitsTest, FilesStayInTheFolderAndAreComplete) {
  for (const Case& one : Cases()) {
    ASSERT_OK_AND_ASSIGN(const std::vector<KitFile> files, Write(one));
    std::map<std::string, int> seen;
    for (const KitFile& file : files) {
      EXPECT_EQ(++seen[file.path], 1) << one.name << " " << file.path;
      for (const absl::string_view part : absl::StrSplit(file.path, '/')) {
        EXPECT_TRUE(!part.empty() && part != "." && part != "..") << file.path;
      }
      EXPECT_THAT(file.content, AllOf(Not(HasSubstr("{{")), Not(HasSubstr("}}")))) << file.path;
      EXPECT_EQ(file.is_secret, absl::StrContains(file.content, kSecret))
          << one.name << " " << file.path;
    }
    EXPECT_EQ(seen["README"], 1) << one.name;
  }
}

TEST(KitsTest, AReadmeHasFiveLines) {
  for (const Case& one : Cases()) {
    const std::string readme = FilesOf(one)["README"];
    EXPECT_EQ(std::count(readme.begin(), readme.end(), '\n'), 5) << one.name;
    EXPECT_THAT(readme, AllOf(StartsWith("1. "), HasSubstr("\n5. "))) << one.name;
  }
}

TEST(KitsTest, TheSameGivesTheSame) {
  for (const Case& one : Cases()) EXPECT_EQ(FilesOf(one), FilesOf(one)) << one.name;
}

TEST(KitsTest, WhatIsNoTextOfOneLineIsRefusedByName) {
  for (const Case& one : Cases()) {
    for (const auto& [name, value] : one.values) {
      for (const std::string& bad :
           {absl::StrCat(value, "\n"), absl::StrCat("a\nb", value), absl::StrCat(value, "\x1b"),
            value + '\0', absl::StrCat(value, "\xff"), std::string()}) {
        const auto files = Write(one, {{name, bad}});
        const bool is_optional = name == "disconnect_secret" || name == "refused_folder";
        if (bad.empty() && is_optional) continue;
        EXPECT_FALSE(files.ok()) << one.name << " " << name;
        EXPECT_EQ(FieldOf(files.status()), name) << one.name << files.status();
        EXPECT_THAT(std::string(files.status().message()), Not(HasSubstr(kSecret)));
      }
    }
  }
}

TEST(KitsTest, AnythingElseIsEscapedOrRefusedByName) {
  for (const Case& one : Cases()) {
    for (const auto& [name, value] : one.values) {
      for (const char* more :
           {" b", "\"", "'", ";", "#", "{", "}", "\\", "$x", "%s", "`", "\u00fc"}) {
        const auto files = Write(one, {{name, absl::StrCat(value, more, "x")}});
        if (files.ok()) continue;
        EXPECT_EQ(FieldOf(files.status()), name) << one.name << more;
      }
    }
  }
}

TEST(KitsTest, WhatIsMissingIsAskedForByName) {
  const auto nothing = CompleteValues(*FindKit("freeradius"), {{"gateway_address", "192.0.2.1"}});
  EXPECT_THAT(nothing.status(), FailsWith(ErrorReason::kFieldMissing,
                                          "gateway_secret, server_certificate, server_key"));
  EXPECT_THAT(std::string(nothing.status().message()),
              AllOf(HasSubstr("--set-file gateway_secret=FILE (the secret shared with"),
                    HasSubstr("; --set server_key=VALUE (path there")));
  const auto unknown = CompleteValues(*FindKit("freeradius"), {{"secret", kSecret}});
  EXPECT_THAT(unknown.status(), FailsWith(ErrorReason::kFieldInvalid, "secret"));
  EXPECT_THAT(std::string(unknown.status().message()),
              AllOf(HasSubstr("gateway_address, gateway_secret"), HasSubstr("follower_folder"),
                    Not(HasSubstr(kSecret))));
}

TEST(FreeradiusKitTest, TheSecretIsAsItWasGiven) {
  EXPECT_THAT(FilesOf(CaseOf("freeradius"),
                      {{"gateway_secret", "it's \"16\" ${x} #; \u00fc"}})["clients.conf"],
              HasSubstr("\tsecret = 'it\\'s \"16\" ${x} #; \u00fc'\n"));
  EXPECT_THAT(Write(CaseOf("freeradius"), {{"gateway_secret", "0123456789\\abcdef"}}).status(),
              FailsWith(ErrorReason::kFieldInvalid, "gateway_secret"));
}

TEST(FreeradiusKitTest, NobodyIsRefusedByAFolderThatIsNotGiven) {
  EXPECT_THAT(FilesOf(CaseOf("freeradius"))["radiusd.conf"],
              AllOf(HasSubstr("program = \"/usr/bin/test ! -e "
                              "/var/lib/refused/%{TLS-Client-Cert-Serial}\"\n"),
                    HasSubstr("\tauthorize {\n\t\t# Go on after a reject")));
  EXPECT_THAT(FilesOf(CaseOf("freeradius"), {{"refused_folder", ""}})["radiusd.conf"],
              AllOf(Not(HasSubstr("exec refused")), HasSubstr("\nmodules {\n\talways reject {\n"),
                    HasSubstr("\tauthorize {\n\t\t# Positive logic")));
}

TEST(FreeradiusKitTest, TheFollowerReplacesWhatIsRead) {
  auto files = FilesOf(CaseOf("freeradius"), {{"folder", "/etc/x"}, {"follower_folder", "/etc/f"}});
  EXPECT_THAT(files["radiusd.conf"], HasSubstr("\n\t\t\tca_file = /etc/x/roots.pem\n"));
  EXPECT_THAT(files["roots.pem"],
              AllOf(StartsWith("# root r2 of contoso, SHA-256 "),
                    HasSubstr("\n-----PEM of r2\n# root r1 of contoso, SHA-256 "),
                    HasSubstr("\n-----PEM of r1\n")));
  EXPECT_EQ(files["follower/first-roots.pem"], files["roots.pem"]);
  EXPECT_THAT(
      files["follower/hourglass-bundle-freeradius.service"],
      HasSubstr("ExecStart=/usr/local/bin/hourglass-bundle sync --config "
                "/etc/f/hourglass-bundle-freeradius.yaml --tenant contoso --trust "
                "/etc/f/first-roots.pem --out /etc/x/roots.pem --format pem --state "
                "/var/lib/hourglass-bundle/contoso-freeradius.state --on-change \"freeradius -d "
                "/etc/x -CX > /dev/null && systemctl restart freeradius\"\n"));
  EXPECT_THAT(files["follower/hourglass-bundle-freeradius.yaml"],
              HasSubstr("server: \"ca.contoso.example:8443\"\ntls:\n  certificate: "
                        "/etc/f/client.pem\n"));
}

TEST(StrongswanKitTest, ValuesGoWithTheirVariant) {
  EXPECT_THAT(Write(CaseOf("strongswan pubkey"), {{"variant", "psk"}}).status(),
              FailsWith(ErrorReason::kFieldInvalid, "variant"));
  EXPECT_THAT(Write(CaseOf("strongswan pubkey"), {{"radius_secret", kSecret}}).status(),
              FailsWith(ErrorReason::kFieldInvalid, "radius_secret"));
  EXPECT_THAT(Write(CaseOf("strongswan pubkey"), {{"variant", "eap-radius"}}).status(),
              FailsWith(ErrorReason::kFieldMissing, "radius_server"));
}

TEST(StrongswanKitTest, OnlyWhoChecksCertificatesHasRoots) {
  EXPECT_EQ(
      FilesOf(CaseOf("strongswan eap-radius")).count("swanctl/x509ca/hourglass-contoso-r1.pem"),
      0U);
  for (const char* name : {"strongswan pubkey", "strongswan eap-tls"}) {
    auto files = FilesOf(CaseOf(name));
    EXPECT_EQ(files["swanctl/x509ca/hourglass-contoso-r1.pem"], "-----PEM of r1\n");
    EXPECT_THAT(files["swanctl/conf.d/hourglass-contoso.cacerts"],
                HasSubstr("cacerts = hourglass-contoso-r1.pem,hourglass-contoso-r2.pem\n"));
    EXPECT_THAT(files["swanctl/conf.d/hourglass-contoso.conf"],
                AllOf(HasSubstr("It looks at issuer, dates and signature, and not at the"),
                      Not(HasSubstr("revocation = strict"))));
  }
}

TEST(StrongswanKitTest, SecretsAreEscaped) {
  const auto files =
      FilesOf(CaseOf("strongswan eap-radius"),
              {{"radius_secret", "a\"b\\c;d#e{f}= 0123"}, {"disconnect_secret", ""}});
  const std::string& charon = files.at("strongswan.d/hourglass-contoso.conf");
  EXPECT_THAT(charon,
              AllOf(HasSubstr("secret = \"a\\\"b\\\\c;d#e{f}= 0123\"\n"), Not(HasSubstr("dae"))));
}

TEST(WindowsKitTest, TheRegistryFileIsWhatRegeditWrites) {
  auto files = FilesOf(CaseOf("windows"));
  const std::string& octets = files["revocation.reg"];
  ASSERT_EQ(octets.substr(0, 2), "\xFF\xFE");
  std::string text;
  for (std::size_t i = 2; i + 1 < octets.size(); i += 2) {
    EXPECT_EQ(octets[i + 1], '\0');
    text.push_back(octets[i]);
  }
  EXPECT_THAT(text, AllOf(StartsWith("Windows Registry Editor Version 5.00\r\n\r\n"),
                          HasSubstr("[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\"
                                    "RasMan\\PPP\\EAP\\13]\r\n\"IgnoreNoRevocationCheck\"=dword:"
                                    "00000001\r\n"),
                          Not(HasSubstr("\"NoRevocationCheck\""))));
}

TEST(WindowsKitTest, EveryRootIsPublished) {
  auto files = FilesOf(CaseOf("windows"));
  EXPECT_EQ(files["roots/contoso-r1.cer"], "DER of r1");
  for (const char* root : {"r1", "r2"}) {
    for (const char* container : {"RootCA", "NTAuthCA"}) {
      EXPECT_THAT(files["publish-roots.cmd"],
                  HasSubstr(absl::StrCat("\r\ncertutil -dspublish -f roots\\contoso-", root,
                                         ".cer ", container, " || exit /b 1\r\n")));
    }
  }
  EXPECT_THAT(files["publish-roots-undo.ps1"],
              AllOf(HasSubstr("aa00000000000000000000000000000000000001"),
                    HasSubstr("bb00000000000000000000000000000000000002")));
  EXPECT_THAT(files["rras-machine-certificates.ps1"], HasSubstr("'roots\\contoso-r2.cer'"));
}

TEST(WindowsKitTest, PowerShellTakesANameAsItIs) {
  auto files = FilesOf(CaseOf("windows"), {{"connection_name", "it's $x `n \u2019 \u00fc; #"}});
  EXPECT_THAT(files["use-ras-credentials.ps1"],
              AllOf(StartsWith("\xEF\xBB\xBF#"),
                    HasSubstr("$ConnectionName = 'it''s $x `n \u2019\u2019 \u00fc; #')\r\n")));
  for (const char* bad : {"a]b", "a[b", "a/b", "a\\b", "a\"b", "a<b"}) {
    EXPECT_THAT(Write(CaseOf("windows"), {{"connection_name", bad}}).status(),
                FailsWith(ErrorReason::kFieldInvalid, "connection_name"));
  }
}

TEST(WindowsKitTest, EveryScriptIsUndone) {
  auto files = FilesOf(CaseOf("windows"));
  EXPECT_EQ(files.count("publish-roots-undo.ps1"), 1U);
  EXPECT_EQ(files.count("revocation-undo.reg"), 1U);
  EXPECT_THAT(files["nps.txt"], HasSubstr("\r\nUndo: "));
  for (const char* script :
       {"revocation.ps1", "rras-machine-certificates.ps1", "use-ras-credentials.ps1"}) {
    EXPECT_THAT(files[script], HasSubstr("param([switch]$Undo")) << script;
  }
}

}  // namespace
}  // namespace hourglass::gateways
