// What tenants issue, as the configuration has it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "issuance/config/testing/parse_config.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

TEST(ParseConfigTest, RefusesDomainsOfUsers) {
  const auto mistakes = [](const std::string& domains) {
    return MistakesWithLine("tenants: {contoso: {upn_domains: " + domains + "}}");
  };
  EXPECT_EQ(mistakes("[contoso.example, \"*.contoso.example\"]"),
            "/etc/h.yaml:9: tenants.contoso.upn_domains[1]: is no domain of users: it has U+002A, "
            "which no domain may have");
  EXPECT_EQ(mistakes("[contoso.example, CONTOSO.example]"),
            "/etc/h.yaml:9: tenants.contoso.upn_domains[1]: appears twice");
  EXPECT_EQ(mistakes("[]"),
            "/etc/h.yaml:9: tenants.contoso.upn_domains: must be a list with at least one value");
  // A wall is of one tenant.
  EXPECT_EQ(MistakesWithLine("issuing: {upn_domains: [contoso.example]}"),
            "/etc/h.yaml:9: issuing.upn_domains: unknown field");
}

TEST(ParseConfigTest, RefusesLifetimesOutOfRange) {
  EXPECT_EQ(MistakesWithLine("issuing: {lifetime: 4m}"),
            "/etc/h.yaml:9: issuing.lifetime: must be a duration such as 500ms, 2s, 60m, 24h or "
            "3d, 5m to 1d");
  EXPECT_EQ(MistakesWithLine("tenants: {contoso: {lifetime: 25h}}"),
            "/etc/h.yaml:9: tenants.contoso.lifetime: must be a duration such as 500ms, 2s, 60m, "
            "24h or 3d, 5m to 1d");
  EXPECT_EQ(MistakesWithLine("issuing: {backdate: 61m}"),
            "/etc/h.yaml:9: issuing.backdate: must be a duration such as 500ms, 2s, 60m, 24h or "
            "3d, 0ms to 1h");
  EXPECT_EQ(MistakesWithLine("issuing: {lifetime: 300500ms}"),
            "/etc/h.yaml:9: issuing.lifetime: must be whole seconds");
}

TEST(ParseConfigTest, ASubKeyOutlivesItsCertificatesFourTimes) {
  EXPECT_EQ(MistakesWithLine("issuing: {lifetime: 6h, sub_key: {enabled: true, lifetime: 23h}}"),
            "/etc/h.yaml:9: issuing.sub_key.lifetime: must be at least four times the lifetime of "
            "the certificates");
  for (const char* sub_key : {"{enabled: true, lifetime: 24h, key_type: rsa-3072}",
                              "{enabled: false, lifetime: 23h, key_type: rsa-3072}"}) {
    ASSERT_OK_AND_ASSIGN(
        const Config config,
        ParseConfig(
            absl::StrCat(kSmallest, "\nissuing: {lifetime: 6h, sub_key: ", sub_key,
                         "}\ntenants: {fabrikam: {sub_key: {enabled: true, lifetime: 48h}}}\n"),
            "/etc/h.yaml"));
    EXPECT_EQ(config.issuing.sub_key.key_type, hsm::KeyType::kRsa3072);
    EXPECT_TRUE(config.tenants.at("fabrikam").sub_key.enabled);
    EXPECT_EQ(config.tenants.at("fabrikam").sub_key.lifetime, std::chrono::hours(48));
    EXPECT_EQ(config.tenants.at("fabrikam").sub_key.key_type, hsm::KeyType::kRsa3072);
  }
  EXPECT_FALSE(IssuingConfig().sub_key.enabled);
}

TEST(ParseConfigTest, SaysWhetherDevicesMustProveByAKeyThatTheyAsk) {
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      ParseConfig(absl::StrCat(kSmallest,
                               "\nissuing: {device_keys: required}\n"
                               "tenants: {contoso: {max_roots: 3}, fabrikam: {device_keys: off}, "
                               "tailspin: {device_keys: when_enrolled}}\n"),
                  "/etc/h.yaml"));
  EXPECT_EQ(config.tenants.at("contoso").device_keys, DeviceKeyUse::kRequired);
  EXPECT_EQ(config.tenants.at("fabrikam").device_keys, DeviceKeyUse::kOff);
  EXPECT_EQ(config.tenants.at("tailspin").device_keys, DeviceKeyUse::kWhenEnrolled);
  EXPECT_EQ(IssuingConfig().device_keys, DeviceKeyUse::kWhenEnrolled);
  EXPECT_EQ(
      MistakesWithLine("tenants: {contoso: {device_keys: always}}"),
      "/etc/h.yaml:9: tenants.contoso.device_keys: must be one of off, when_enrolled, required");
}

TEST(ParseConfigTest, RefusesKeyPoliciesThatAcceptNothing) {
  EXPECT_EQ(
      MistakesWithLine("issuing: {accepted_keys: {ec_p256: false, ec_p384: false, rsa: false}}"),
      "/etc/h.yaml:9: issuing.accepted_keys: must accept at least one of ec_p256, ec_p384 and rsa");
  EXPECT_EQ(
      MistakesWithLine("issuing: {accepted_keys: {min_rsa_bits: 4096, max_rsa_bits: 3072}}"),
      "/etc/h.yaml:9: issuing.accepted_keys.min_rsa_bits: must not be more than max_rsa_bits");
  EXPECT_EQ(MistakesWithLine("issuing: {accepted_keys: {min_rsa_bits: 1024}}"),
            "/etc/h.yaml:9: issuing.accepted_keys.min_rsa_bits: must be a whole number, 2048 to "
            "4096");
}

}  // namespace
}  // namespace hourglass::issuance
