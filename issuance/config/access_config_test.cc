// What conditional access takes for granted in a tenant, and how mistakes in it are told.
#include "issuance/config/access_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "issuance/config/testing/parse_config.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

absl::StatusOr<Config> ConfigWith(const std::string& lines) {
  return ParseConfig(absl::StrCat(kSmallest, lines), "/etc/h.yaml");
}

TEST(AccessConfigTest, AssumesNothingWhereNothingIsSaid) {
  ASSERT_OK_AND_ASSIGN(const Config config, ConfigWith("tenants: {contoso: {lifetime: 60m}}\n"));
  ASSERT_EQ(config.access.count("contoso"), 1U);
  const AccessConfig& access = config.access.at("contoso");
  EXPECT_THAT(access.options.vpn_applications, IsEmpty());
  EXPECT_FALSE(access.options.allow_without_policy);
  EXPECT_TRUE(access.options.grace_period_is_compliant);
  EXPECT_THAT(access.options.mfa_trusted_ips, IsEmpty());
  EXPECT_FALSE(access.options.assumed.client_app.has_value());
  EXPECT_FALSE(access.options.assumed.sign_in_risk.has_value());
  EXPECT_FALSE(access.options.assumed.insider_risk.has_value());
  EXPECT_EQ(access.compliance.report_validity, hours(30 * 24));
  EXPECT_FALSE(access.compliance.compliant_without_policy);
  EXPECT_EQ(RemediationUrl(access, "compliantDevice"), "");
}

TEST(AccessConfigTest, ReadsEveryField) {
  ASSERT_OK_AND_ASSIGN(const Config config, ConfigWith(R"(tenants:
  contoso:
    access:
      vpn_applications: [6be0f1f2-0000-4f6a-9c3c-0123456789ab]
      allow_without_policy: true
      grace_period_is_compliant: false
      mfa_trusted_ips: [192.0.2.0/24, "2001:db8::/32"]
      assumed:
        client_app: mobileAppsAndDesktopClients
        transfer_method: none
        sign_in_risk: none
        user_risk: low
        insider_risk: none
      report_validity: 36h
      compliant_without_policy: true
      remediation_url: https://help.contoso.example/vpn
      remediation_urls:
        - {setting: bitLockerEnabled, url: "https://help.contoso.example/bitlocker"}
)"));
  const AccessConfig& access = config.access.at("contoso");
  EXPECT_THAT(access.options.vpn_applications, ElementsAre("6be0f1f2-0000-4f6a-9c3c-0123456789ab"));
  EXPECT_TRUE(access.options.allow_without_policy);
  EXPECT_FALSE(access.options.grace_period_is_compliant);
  EXPECT_THAT(access.options.mfa_trusted_ips, ElementsAre(*access::ParseIpRange("192.0.2.0/24"),
                                                          *access::ParseIpRange("2001:db8::/32")));
  const access::AssumedFacts& assumed = access.options.assumed;
  EXPECT_EQ(assumed.client_app, access::ClientApp::kMobileAppsAndDesktopClients);
  EXPECT_EQ(assumed.transfer_method, access::TransferMethod::kNone);
  EXPECT_EQ(assumed.sign_in_risk, access::RiskLevel::kNone);
  EXPECT_EQ(assumed.user_risk, access::RiskLevel::kLow);
  EXPECT_EQ(assumed.insider_risk, access::InsiderRiskLevel::kNone);
  EXPECT_EQ(access.compliance.report_validity, hours(36));
  EXPECT_TRUE(access.compliance.compliant_without_policy);
  EXPECT_EQ(access.remediation_url, "https://help.contoso.example/vpn");
  EXPECT_THAT(access.remediation_urls,
              ElementsAre(Pair("bitlockerenabled", "https://help.contoso.example/bitlocker")));
  EXPECT_EQ(RemediationUrl(access, "BitLockerEnabled"), "https://help.contoso.example/bitlocker");
  EXPECT_EQ(RemediationUrl(access, "mfa"), "https://help.contoso.example/vpn");
}

TEST(AccessConfigTest, TellsEachMistake) {
  const std::string range = "must be a range of addresses, as 192.0.2.0/24 or 2001:db8::/32";
  const std::string url = "must be an https URL of at most 1024 ASCII characters";
  const std::vector<std::pair<std::string, std::string>> mistakes = {
      {"{vpn_applications: [a b]}", ".vpn_applications[0]: must be the id of an application"},
      {"{vpn_applications: [all]}",
       ".vpn_applications[0]: must be the id of an application: `All` in a policy includes it "
       "anyway"},
      {"{vpn_applications: [a, A]}", ".vpn_applications[1]: appears twice"},
      {"{mfa_trusted_ips: [192.0.2.0/33]}", ".mfa_trusted_ips[0]: " + range},
      {"{mfa_trusted_ips: [192.0.2.7]}", ".mfa_trusted_ips[0]: " + range},
      {"{mfa_trusted_ips: [10.0.0.0/8, 10.0.0.0/8]}", ".mfa_trusted_ips[1]: appears twice"},
      {"{report_validity: 90m}", ".report_validity: must be whole hours"},
      {"{remediation_url: 'http://help.example'}", ".remediation_url: " + url},
      {"{remediation_url: 'https://'}", ".remediation_url: " + url},
      {"{remediation_url: 'https://" + std::string(1017, 'a') + "'}", ".remediation_url: " + url},
      {"{remediation_urls: [{setting: mfa}]}", ".remediation_urls[0].url: is missing"},
      {"{remediation_urls: [{url: 'https://a.example'}]}",
       ".remediation_urls[0].setting: is missing"},
      {"{remediation_urls: [{setting: mfa, url: 'ftp://a.example'}]}",
       ".remediation_urls[0].url: " + url},
      {"{remediation_urls: [{setting: mfa, url: 'https://a.example'}, {setting: MFA, url: "
       "'https://b.example'}]}",
       ".remediation_urls[1].setting: another one has this setting"},
  };
  for (const auto& [section, mistake] : mistakes) {
    EXPECT_EQ(MistakesWithLine("tenants: {contoso: {access: " + section + "}}"),
              "/etc/h.yaml:9: tenants.contoso.access" + mistake)
        << section;
  }
}

TEST(AccessConfigTest, TakesNoOtherWordsAndNoOtherTimes) {
  for (const std::string section :
       {"{assumed: {client_app: all}}", "{assumed: {client_app: easSupported}}",
        "{assumed: {sign_in_risk: hidden}}", "{assumed: {user_risk: some}}",
        "{assumed: {insider_risk: low}}", "{assumed: {transfer_method: usb}}",
        "{assumed: {mfa: true}}", "{report_validity: 59m}", "{report_validity: 121d}",
        "{allow_without_policy: yes}", "{grace_period_is_compliant: 1}",
        "{compliant_without_policy: 'true'}", "{vpn_applications: a}", "{remediation_urls: []}"}) {
    EXPECT_FALSE(ConfigWith("tenants: {contoso: {access: " + section + "}}\n").ok()) << section;
  }
  for (const std::string section :
       {"{report_validity: 1h}", "{report_validity: 120d}", "{assumed: {sign_in_risk: high}}"}) {
    EXPECT_OK(ConfigWith("tenants: {contoso: {access: " + section + "}}\n")) << section;
  }
}

TEST(AccessConfigTest, IsOfATenantAlone) {
  EXPECT_THAT(MistakesWithLine("issuing: {access: {allow_without_policy: true}}"),
              testing::HasSubstr("issuing.access: unknown field"));
}

}  // namespace
}  // namespace hourglass::issuance
