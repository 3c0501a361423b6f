#include "issuance/compliance/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

constexpr char kEverything[] = R"(version: "2026-11"
report_validity: 12h
remediation_url: https://help.contoso.example/vpn
antivirus: {enabled: true, real_time_protection: true, max_signature_age: 7d}
automatic_update: {enabled: true, max_age: 35d, min_os_version: "10.0.19045"}
password_policy: {required: true, min_length: 8, max_lock_after_minutes: 15}
disk_encryption: {enabled: true, remediation_url: https://help.contoso.example/disk}
device_health_attestation:
  max_age: 24h
  secure_boot: true
  code_integrity: true
  boot_debugging: false
  kernel_debugging: false
  test_signing: false
  early_launch_antimalware: true
)";

std::string MistakesOf(absl::string_view yaml) {
  const auto policy = ParsePolicy(yaml, "p.yaml");
  EXPECT_THAT(policy, FailsWith(ErrorReason::kConfigurationInvalid)) << yaml;
  return std::string(policy.status().message());
}

// The same for a policy with these lines after its version.
std::string MistakesWith(absl::string_view lines) {
  return MistakesOf(absl::StrCat("version: v1\n", lines, "\n"));
}

TEST(ParsePolicyTest, ReadsEverySetting) {
  ASSERT_OK_AND_ASSIGN(const CompliancePolicy policy, ParsePolicy(kEverything, "p.yaml"));
  EXPECT_EQ(policy.report_validity, hours(12));
  EXPECT_EQ(policy.remediation_url, "https://help.contoso.example/vpn");
  EXPECT_TRUE(policy.antivirus.enabled);
  EXPECT_TRUE(policy.antivirus.real_time_protection);
  EXPECT_EQ(policy.antivirus.max_signature_age, hours(7 * 24));
  EXPECT_EQ(policy.antivirus.remediation_url, "");
  EXPECT_TRUE(policy.automatic_update.enabled);
  EXPECT_EQ(policy.automatic_update.max_age, hours(35 * 24));
  EXPECT_EQ(policy.automatic_update.min_os_version, (OsVersion{10, 0, 19045, 0}));
  EXPECT_TRUE(policy.password_policy.required);
  EXPECT_EQ(policy.password_policy.min_length, 8);
  EXPECT_EQ(policy.password_policy.max_lock_after_minutes, 15);
  EXPECT_TRUE(policy.disk_encryption.enabled);
  EXPECT_EQ(policy.disk_encryption.remediation_url, "https://help.contoso.example/disk");
  EXPECT_EQ(policy.device_health_attestation.max_age, hours(24));
  EXPECT_TRUE(policy.device_health_attestation.secure_boot);
  EXPECT_TRUE(policy.device_health_attestation.code_integrity);
  EXPECT_TRUE(policy.device_health_attestation.early_launch_antimalware);
  EXPECT_TRUE(policy.device_health_attestation.no_boot_debugging);
  EXPECT_TRUE(policy.device_health_attestation.no_kernel_debugging);
  EXPECT_TRUE(policy.device_health_attestation.no_test_signing);
}

TEST(ParsePolicyTest, WhatIsLeftOutIsNotEvaluated) {
  ASSERT_OK_AND_ASSIGN(const CompliancePolicy policy,
                       ParsePolicy("version: v1\ndisk_encryption: {enabled: true}\n", "p.yaml"));
  EXPECT_EQ(policy.report_validity, hours(24));
  EXPECT_FALSE(policy.antivirus.enabled);
  EXPECT_FALSE(policy.antivirus.max_signature_age.has_value());
  EXPECT_FALSE(policy.automatic_update.min_os_version.has_value());
  EXPECT_FALSE(policy.password_policy.min_length.has_value());
  EXPECT_FALSE(policy.device_health_attestation.no_test_signing);
  EXPECT_TRUE(policy.disk_encryption.enabled);
}

TEST(ParsePolicyTest, NamesTheVersionWithTheHashOfTheFile) {
  ASSERT_OK_AND_ASSIGN(const CompliancePolicy policy, ParsePolicy(kEverything, "p.yaml"));
  const CommandResult digest = RunCommand({"openssl", "dgst", "-sha256", "-r"}, kEverything);
  ASSERT_EQ(digest.exit_code, 0);
  EXPECT_EQ(policy.version, absl::StrCat("2026-11 (sha256:", digest.output.substr(0, 12), ")"));
}

TEST(ParsePolicyTest, RefusesPoliciesThatEvaluateNothing) {
  EXPECT_EQ(MistakesWith(""), "p.yaml:1: the policy evaluates nothing");
  EXPECT_EQ(MistakesWith("report_validity: 1h"), "p.yaml:1: the policy evaluates nothing");
  EXPECT_EQ(MistakesWith("antivirus: {}"), "p.yaml:2: antivirus: is empty");
  EXPECT_EQ(MistakesWith("antivirus: {remediation_url: https://h.example}"),
            "p.yaml:2: antivirus: evaluates nothing");
}

TEST(ParsePolicyTest, RefusesDemandsForTheUnsafe) {
  for (const char* setting :
       {"antivirus.enabled", "antivirus.real_time_protection", "automatic_update.enabled",
        "password_policy.required", "disk_encryption.enabled",
        "device_health_attestation.secure_boot", "device_health_attestation.code_integrity",
        "device_health_attestation.early_launch_antimalware"}) {
    const std::string path = setting;
    const std::size_t dot = path.find('.');
    EXPECT_EQ(
        MistakesWith(absl::StrCat(path.substr(0, dot), ": {", path.substr(dot + 1), ": false}")),
        absl::StrCat("p.yaml:2: ", path,
                     ": must be true, or left out so that it is not evaluated"));
  }
  for (const char* setting : {"boot_debugging", "kernel_debugging", "test_signing"}) {
    EXPECT_EQ(MistakesWith(absl::StrCat("device_health_attestation: {", setting, ": true}")),
              absl::StrCat("p.yaml:2: device_health_attestation.", setting,
                           ": must be false, or left out so that it is not evaluated"));
  }
}

TEST(ParsePolicyTest, RefusesMalformedFields) {
  EXPECT_EQ(MistakesOf("disk_encryption: {enabled: true}\n"), "p.yaml:1: version: is missing");
  EXPECT_EQ(MistakesOf(absl::StrCat("version: ", std::string(65, 'v'),
                                    "\ndisk_encryption: {enabled: true}\n")),
            "p.yaml:1: version: must have at most 64 octets");
  EXPECT_EQ(MistakesWith("disk_encryption: {enabled: yes}"),
            "p.yaml:2: disk_encryption.enabled: must be true or false, without quotes");
  EXPECT_EQ(MistakesWith("disk_encryptoin: {enabled: true}\nantivirus: {enabled: true}"),
            "p.yaml:2: disk_encryptoin: unknown field, did you mean disk_encryption?");
  EXPECT_EQ(MistakesWith("antivirus: {enabled: true, max_signature_age: 7}"),
            "p.yaml:2: antivirus.max_signature_age: must be a duration such as 500ms, 2s, 60m, 24h "
            "or 3d, 1m to 366d");
  EXPECT_EQ(MistakesWith("automatic_update: {min_os_version: ten}"),
            "p.yaml:2: automatic_update.min_os_version: must be one to four numbers joined by "
            "dots");
  EXPECT_EQ(MistakesWith("password_policy: {min_length: 0, max_lock_after_minutes: 1441}"),
            "p.yaml:2: password_policy.min_length: must be a whole number, 1 to 128\n"
            "p.yaml:2: password_policy.max_lock_after_minutes: must be a whole number, 1 to 1440");
}

TEST(ParsePolicyTest, WantsHttpsUrls) {
  for (const std::string& url :
       {std::string("http://h.example"), std::string("https://"), std::string("javascript:x"),
        std::string("https://h.example/ x"), "https://" + std::string(249, 'h')}) {
    EXPECT_EQ(MistakesWith(
                  absl::StrCat("disk_encryption: {enabled: true, remediation_url: \"", url, "\"}")),
              "p.yaml:2: disk_encryption.remediation_url: must be an https URL of at most 256 "
              "ASCII characters");
  }
}

TEST(CheckPolicyFilesTest, TellsTheMistakesOfAllFiles) {
  const TemporaryDirectory directory;
  const std::string contoso = directory.Write("contoso.yaml", kEverything);
  directory.Write("notes.txt", "not a policy");
  EXPECT_OK(CheckPolicyFiles(directory.path()));
  directory.Write("contoso.yaml", "version: v1\n");
  const std::string fabrikam = directory.Write("fabrikam.yaml", "antivirus: {enabled: no}\n");
  EXPECT_EQ(std::string(CheckPolicyFiles(directory.path()).message()),
            absl::StrCat(contoso, ":1: the policy evaluates nothing\n", fabrikam,
                         ":1: version: is missing\n", fabrikam,
                         ":1: antivirus.enabled: must be true or false, without quotes"));
}

TEST(CheckPolicyFilesTest, RefusesNamesOfNoTenantAndFoldersThatAreNot) {
  const TemporaryDirectory directory;
  directory.Write("Contoso.yaml", kEverything);
  const absl::Status named = CheckPolicyFiles(directory.path());
  EXPECT_THAT(named, FailsWith(ErrorReason::kConfigurationInvalid));
  EXPECT_THAT(std::string(named.message()), HasSubstr("the file's name is no tenant's"));
  const absl::Status absent = CheckPolicyFiles(directory.File("absent"));
  EXPECT_THAT(absent, FailsWith(ErrorReason::kConfigurationInvalid));
  EXPECT_THAT(std::string(absent.message()), HasSubstr("No such file"));
}

}  // namespace
}  // namespace hourglass::issuance
