// What of a rotation the configuration says, and how its mistakes are told.
#include "issuance/config/rotation_config.h"

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

constexpr std::chrono::hours kDay(24);

absl::StatusOr<Config> ConfigWith(const std::string& lines) {
  return ParseConfig(absl::StrCat(kSmallest, lines), "/etc/h.yaml");
}

// What is wrong with `rotation` where all tenants are told of at once, and of one tenant, which has
// to be the same.
std::string MistakesInRotation(const std::string& rotation) {
  const std::string of_all = MistakesWithLine("issuing: {rotation: " + rotation + "}");
  const std::string of_one = MistakesWithLine("tenants: {contoso: {rotation: " + rotation + "}}");
  EXPECT_EQ(absl::StrReplaceAll(of_one, {{"tenants.contoso.", ""}}),
            absl::StrReplaceAll(of_all, {{"issuing.", ""}}));
  return absl::StrReplaceAll(of_all, {{"/etc/h.yaml:9: issuing.rotation", "9"}});
}

TEST(RotationConfigTest, IsOffWithTheTimesOfARootOfTwoYears) {
  ASSERT_OK_AND_ASSIGN(const Config config, ConfigWith(""));
  EXPECT_EQ(config.issuing.rotation.mode, RotationMode::kOff);
  EXPECT_EQ(config.issuing.rotation.stage_before_expiry, 60 * kDay);
  EXPECT_EQ(config.issuing.rotation.promote_before_expiry, 30 * kDay);
  EXPECT_EQ(config.issuing.rotation.root_duration, 730 * kDay);
  EXPECT_EQ(config.issuing.rotation.key_type, hsm::KeyType::kEcP256);
  EXPECT_FALSE(config.issuing.rotation.waive_acknowledgements);
  ASSERT_OK_AND_ASSIGN(const Config written, ConfigWith("issuing: {rotation: {mode: off, "
                                                        "stage_before_expiry: 60d, "
                                                        "promote_before_expiry: 30d, "
                                                        "root_duration: 730d, key_type: ec-p256, "
                                                        "waive_acknowledgements: false}}\n"));
  EXPECT_EQ(written.issuing.rotation, config.issuing.rotation);
}

TEST(RotationConfigTest, ReadsEveryField) {
  ASSERT_OK_AND_ASSIGN(const Config config, ConfigWith(R"(issuing:
  rotation:
    mode: automatic
    stage_before_expiry: 90d
    promote_before_expiry: 36h
    root_duration: 365d
    key_type: rsa-3072
    waive_acknowledgements: true
)"));
  const RotationPolicy& policy = config.issuing.rotation;
  EXPECT_EQ(policy.mode, RotationMode::kAutomatic);
  EXPECT_EQ(policy.stage_before_expiry, 90 * kDay);
  EXPECT_EQ(policy.promote_before_expiry, std::chrono::hours(36));
  EXPECT_EQ(policy.root_duration, 365 * kDay);
  EXPECT_EQ(policy.key_type, hsm::KeyType::kRsa3072);
  EXPECT_TRUE(policy.waive_acknowledgements);
}

TEST(RotationConfigTest, EachModeHasItsName) {
  for (const auto& [mode, name] :
       std::vector<std::pair<RotationMode, std::string>>{{RotationMode::kOff, "off"},
                                                         {RotationMode::kDryRun, "dry_run"},
                                                         {RotationMode::kAutomatic, "automatic"}}) {
    EXPECT_EQ(RotationModeName(mode), name);
    ASSERT_OK_AND_ASSIGN(const Config config,
                         ConfigWith("issuing: {rotation: {mode: " + name + "}}\n"));
    EXPECT_EQ(config.issuing.rotation.mode, mode);
  }
}

TEST(RotationConfigTest, ATenantReplacesSingleFields) {
  ASSERT_OK_AND_ASSIGN(const Config config, ConfigWith(R"(issuing:
  rotation: {mode: automatic, stage_before_expiry: 90d, key_type: ec-p384}
tenants:
  contoso: {rotation: {mode: dry_run, promote_before_expiry: 80d}}
  fabrikam: {lifetime: 2h}
)"));
  const RotationPolicy& contoso = config.tenants.at("contoso").rotation;
  EXPECT_EQ(contoso.mode, RotationMode::kDryRun);
  EXPECT_EQ(contoso.stage_before_expiry, 90 * kDay);
  EXPECT_EQ(contoso.promote_before_expiry, 80 * kDay);
  EXPECT_EQ(contoso.key_type, hsm::KeyType::kEcP384);
  EXPECT_EQ(config.tenants.at("fabrikam").rotation, config.issuing.rotation);
}

TEST(RotationConfigTest, RefusesMalformedFields) {
  EXPECT_EQ(MistakesInRotation("{mode: on}"), "9.mode: must be one of off, dry_run, automatic");
  EXPECT_EQ(MistakesInRotation("{mode: dry-run}"),
            "9.mode: must be one of off, dry_run, automatic");
  EXPECT_EQ(MistakesInRotation("{key_type: p256}"),
            "9.key_type: must be one of ec-p256, ec-p384, rsa-2048, rsa-3072, rsa-4096");
  EXPECT_EQ(MistakesInRotation("{waive_acknowledgements: yes}"),
            "9.waive_acknowledgements: must be true or false, without quotes");
  EXPECT_EQ(MistakesInRotation("{stage_before_expiri: 60d}"),
            "9.stage_before_expiri: unknown field, did you mean stage_before_expiry?");
  EXPECT_EQ(MistakesInRotation("{}"), "9: is empty");
  EXPECT_EQ(MistakesInRotation("automatic"), "9: must be a mapping of fields");
}

TEST(RotationConfigTest, RefusesTimesOutOfRange) {
  constexpr char kForm[] = "must be a duration such as 500ms, 2s, 60m, 24h or 3d, ";
  EXPECT_EQ(MistakesInRotation("{root_duration: 2y}"),
            absl::StrCat("9.root_duration: ", kForm, "1d to 10980d"));
  EXPECT_EQ(MistakesInRotation("{root_duration: 23h}"),
            absl::StrCat("9.root_duration: ", kForm, "1d to 10980d"));
  EXPECT_EQ(MistakesInRotation("{promote_before_expiry: 59m}"),
            absl::StrCat("9.promote_before_expiry: ", kForm, "1h to 3650d"));
  EXPECT_EQ(MistakesInRotation("{stage_before_expiry: 3651d, root_duration: 4000d}"),
            absl::StrCat("9.stage_before_expiry: ", kForm, "1h to 3650d"));
  EXPECT_EQ(MistakesInRotation("{stage_before_expiry: 172800500ms}"),
            "9.stage_before_expiry: must be whole seconds");
}

TEST(RotationConfigTest, ARootIsStagedBeforeItIsPromotedAndEndsAfterItsPredecessor) {
  EXPECT_EQ(MistakesInRotation("{promote_before_expiry: 60d}"),
            "9.promote_before_expiry: must be less than stage_before_expiry");
  EXPECT_EQ(MistakesInRotation("{stage_before_expiry: 30d}"),
            "9.stage_before_expiry: must be more than promote_before_expiry");
  EXPECT_EQ(MistakesInRotation("{stage_before_expiry: 730d}"),
            "9.stage_before_expiry: must be less than root_duration");
  EXPECT_EQ(MistakesInRotation("{root_duration: 60d}"),
            "9.root_duration: must be more than stage_before_expiry");
  // Both at once, of times that contradict each other all along.
  EXPECT_EQ(
      MistakesInRotation("{promote_before_expiry: 9d, stage_before_expiry: 9d, root_duration: 9d}"),
      "9.promote_before_expiry: must be less than stage_before_expiry\n"
      "9.stage_before_expiry: must be less than root_duration");
  EXPECT_OK(
      ConfigWith("issuing: {rotation: {promote_before_expiry: 1d, stage_before_expiry: 2d, "
                 "root_duration: 3d}}\n"));
  // What is sound by itself, and not beside what all tenants have.
  EXPECT_EQ(MistakesOf(absl::StrCat(
                kSmallest,
                "issuing: {rotation: {stage_before_expiry: 10d, promote_before_expiry: 5d}}\n"
                "tenants: {contoso: {rotation: {promote_before_expiry: 20d}}}\n")),
            "/etc/h.yaml:9: tenants.contoso.rotation.promote_before_expiry: must be less than "
            "stage_before_expiry");
  // Told once, and not again of each tenant.
  EXPECT_EQ(MistakesOf(absl::StrCat(
                kSmallest,
                "issuing: {rotation: {promote_before_expiry: 90d}}\n"
                "tenants: {contoso: {rotation: {mode: automatic}}, fabrikam: {lifetime: 2h}}\n")),
            "/etc/h.yaml:8: issuing.rotation.promote_before_expiry: must be less than "
            "stage_before_expiry");
}

TEST(RotationConfigTest, ThePrimaryIssuesWholeCertificatesUntilItsSuccessorDoes) {
  EXPECT_EQ(MistakesInRotation("{promote_before_expiry: 119m}"),
            "9.promote_before_expiry: must be at least twice the lifetime of the certificates");
  EXPECT_OK(ConfigWith("issuing: {rotation: {promote_before_expiry: 120m}}\n"));
  EXPECT_EQ(MistakesOf(absl::StrCat(kSmallest,
                                    "issuing: {rotation: {promote_before_expiry: 30h}}\n"
                                    "tenants: {contoso: {lifetime: 16h}}\n")),
            "/etc/h.yaml:9: tenants.contoso.lifetime: must be at most half of "
            "rotation.promote_before_expiry");
  EXPECT_OK(
      ConfigWith("issuing: {rotation: {promote_before_expiry: 30h}}\n"
                 "tenants: {contoso: {lifetime: 15h}}\n"));
}

}  // namespace
}  // namespace hourglass::issuance
