#include "issuance/compliance/decision.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

// 2026-11-20T12:00:00Z.
constexpr std::int64_t kNowSeconds = 1795176000;
constexpr Timestamp kNow{seconds(kNowSeconds)};

CompliancePolicy Policy(absl::string_view lines) {
  auto policy = ParsePolicy(absl::StrCat("version: v1\n", lines), "p.yaml");
  EXPECT_OK(policy);
  return *std::move(policy);
}

// NOW-n and NOW+n in `text` are seconds around kNow.
v1::DeviceState State(const std::string& text) {
  std::string resolved = text;
  for (std::size_t at; (at = resolved.find("NOW")) != std::string::npos;) {
    const std::size_t end = resolved.find_first_of(" }", at);
    const std::string offset = resolved.substr(at + 3, end - at - 3);
    std::int64_t seconds = 0;
    EXPECT_TRUE(offset.empty() || absl::SimpleAtoi(offset, &seconds)) << text;
    const std::int64_t time = kNowSeconds + seconds;
    resolved.replace(at, end - at, std::to_string(time));
  }
  v1::DeviceState state;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(resolved, &state)) << resolved;
  return state;
}

std::vector<std::string> Settings(const std::vector<v1::DenyReason>& reasons) {
  std::vector<std::string> settings;
  for (const v1::DenyReason& reason : reasons) settings.push_back(reason.setting());
  return settings;
}

struct Row {
  const char* setting;  // dotted
  const char* policy;   // its value in the policy
  const char* state;    // of the device
  const char* message;  // "" where the device is compliant
};

constexpr Row kRows[] = {
    {"antivirus.enabled", "true", "antivirus {enabled: true}", ""},
    {"antivirus.enabled", "true", "antivirus {enabled: false}", "antivirus is off"},
    {"antivirus.enabled", "true", "antivirus {}", "it is not known whether antivirus is on"},
    {"antivirus.enabled", "true", "", "it is not known whether antivirus is on"},

    {"antivirus.real_time_protection", "true", "antivirus {real_time_protection: true}", ""},
    {"antivirus.real_time_protection", "true", "antivirus {real_time_protection: false}",
     "real-time protection is off"},
    {"antivirus.real_time_protection", "true", "antivirus {enabled: true}",
     "it is not known whether real-time protection is on"},

    {"antivirus.max_signature_age", "1h", "antivirus {signatures_updated_at {seconds: NOW-3600}}",
     ""},
    {"antivirus.max_signature_age", "1h", "antivirus {signatures_updated_at {seconds: NOW}}", ""},
    {"antivirus.max_signature_age", "1h",
     "antivirus {signatures_updated_at {seconds: NOW-3601 nanos: 999999000}}",
     "more than 1h have passed since the antivirus signatures were last updated"},
    {"antivirus.max_signature_age", "1h", "antivirus {signatures_updated_at {seconds: NOW+300}}",
     ""},
    {"antivirus.max_signature_age", "1h",
     "antivirus {signatures_updated_at {seconds: NOW+300 nanos: 1000}}",
     "the time when the antivirus signatures were last updated lies in the future"},
    {"antivirus.max_signature_age", "1h", "antivirus {enabled: true}",
     "it is not known when the antivirus signatures were last updated"},
    {"antivirus.max_signature_age", "1h", "antivirus {signatures_updated_at {nanos: -1}}",
     "it is not known when the antivirus signatures were last updated"},

    {"automatic_update.enabled", "true", "automatic_update {enabled: true}", ""},
    {"automatic_update.enabled", "true", "automatic_update {enabled: false}",
     "automatic update is off"},
    {"automatic_update.enabled", "true", "", "it is not known whether automatic update is on"},

    {"automatic_update.max_age", "35d",
     "automatic_update {last_installed_at {seconds: NOW-3024000}}", ""},
    {"automatic_update.max_age", "35d",
     "automatic_update {last_installed_at {seconds: NOW-3024001}}",
     "more than 35d have passed since updates were last installed"},
    {"automatic_update.max_age", "35d", "automatic_update {last_installed_at {seconds: NOW+300}}",
     ""},
    {"automatic_update.max_age", "35d", "automatic_update {last_installed_at {seconds: NOW+301}}",
     "the time when updates were last installed lies in the future"},
    {"automatic_update.max_age", "35d", "", "it is not known when updates were last installed"},

    {"automatic_update.min_os_version", "10.0.19045", "automatic_update {os_version: '10.0.19045'}",
     ""},
    {"automatic_update.min_os_version", "10.0.9200",
     "automatic_update {os_version: '10.0.19045.1'}", ""},
    {"automatic_update.min_os_version", "10.0.19045", "automatic_update {os_version: '10.0.9200'}",
     "the operating system must be at version 10.0.19045 or later"},
    {"automatic_update.min_os_version", "10.0.19045", "automatic_update {os_version: 'Windows 11'}",
     "the version of the operating system is not known"},
    {"automatic_update.min_os_version", "10.0.19045", "",
     "the version of the operating system is not known"},

    {"password_policy.required", "true", "password_policy {required: true}", ""},
    {"password_policy.required", "true", "password_policy {required: false}",
     "the demand for a password is off"},
    {"password_policy.required", "true", "",
     "it is not known whether the demand for a password is on"},

    {"password_policy.min_length", "8", "password_policy {minimum_length: 8}", ""},
    {"password_policy.min_length", "8", "password_policy {minimum_length: 4294967295}", ""},
    {"password_policy.min_length", "8", "password_policy {minimum_length: 7}",
     "passwords of less than 8 characters are allowed"},
    {"password_policy.min_length", "8", "", "the least length of the password is not known"},

    {"password_policy.max_lock_after_minutes", "15", "password_policy {lock_after_minutes: 15}",
     ""},
    {"password_policy.max_lock_after_minutes", "15", "password_policy {lock_after_minutes: 16}",
     "the idle device does not lock itself within 15 minutes"},
    {"password_policy.max_lock_after_minutes", "15", "password_policy {lock_after_minutes: 0}",
     "the idle device does not lock itself within 15 minutes"},
    {"password_policy.max_lock_after_minutes", "15",
     "password_policy {lock_after_minutes: 4294967295}",
     "the idle device does not lock itself within 15 minutes"},
    {"password_policy.max_lock_after_minutes", "15", "",
     "it is not known when the idle device locks itself"},

    {"disk_encryption.enabled", "true", "disk_encryption {enabled: true}", ""},
    {"disk_encryption.enabled", "true", "disk_encryption {enabled: false}",
     "disk encryption is off"},
    {"disk_encryption.enabled", "true", "", "it is not known whether disk encryption is on"},

    {"device_health_attestation.max_age", "24h",
     "device_health_attestation {attested_at {seconds: NOW-86400}}", ""},
    {"device_health_attestation.max_age", "24h",
     "device_health_attestation {attested_at {seconds: NOW-86401}}",
     "more than 1d have passed since the health of the device was attested"},
    {"device_health_attestation.max_age", "24h",
     "device_health_attestation {attested_at {seconds: NOW+300}}", ""},
    {"device_health_attestation.max_age", "24h",
     "device_health_attestation {attested_at {seconds: NOW+301}}",
     "the time when the health of the device was attested lies in the future"},
    {"device_health_attestation.max_age", "24h", "",
     "it is not known when the health of the device was attested"},

    {"device_health_attestation.secure_boot", "true",
     "device_health_attestation {secure_boot: true}", ""},
    {"device_health_attestation.secure_boot", "true",
     "device_health_attestation {secure_boot: false}", "secure boot is off"},
    {"device_health_attestation.secure_boot", "true", "",
     "it is not known whether secure boot is on"},

    {"device_health_attestation.code_integrity", "true",
     "device_health_attestation {code_integrity: true}", ""},
    {"device_health_attestation.code_integrity", "true",
     "device_health_attestation {code_integrity: false}", "code integrity is off"},
    {"device_health_attestation.code_integrity", "true", "",
     "it is not known whether code integrity is on"},

    {"device_health_attestation.boot_debugging", "false",
     "device_health_attestation {boot_debugging: false}", ""},
    {"device_health_attestation.boot_debugging", "false",
     "device_health_attestation {boot_debugging: true}", "boot debugging is on"},
    {"device_health_attestation.boot_debugging", "false", "",
     "it is not known whether boot debugging is on"},

    {"device_health_attestation.kernel_debugging", "false",
     "device_health_attestation {kernel_debugging: false}", ""},
    {"device_health_attestation.kernel_debugging", "false",
     "device_health_attestation {kernel_debugging: true}", "kernel debugging is on"},
    {"device_health_attestation.kernel_debugging", "false", "",
     "it is not known whether kernel debugging is on"},

    {"device_health_attestation.test_signing", "false",
     "device_health_attestation {test_signing: false}", ""},
    {"device_health_attestation.test_signing", "false",
     "device_health_attestation {test_signing: true}", "test signing is on"},
    {"device_health_attestation.test_signing", "false", "",
     "it is not known whether test signing is on"},

    {"device_health_attestation.early_launch_antimalware", "true",
     "device_health_attestation {early_launch_antimalware: true}", ""},
    {"device_health_attestation.early_launch_antimalware", "true",
     "device_health_attestation {early_launch_antimalware: false}",
     "early launch antimalware is off"},
    {"device_health_attestation.early_launch_antimalware", "true", "",
     "it is not known whether early launch antimalware is on"},
};

// `disk_encryption: {enabled: true}` for a row.
std::string PolicyLine(const Row& row) {
  const std::string setting = row.setting;
  const std::size_t dot = setting.find('.');
  return absl::StrCat(setting.substr(0, dot), ": {", setting.substr(dot + 1), ": ", row.policy,
                      "}\n");
}

TEST(DecideTest, JudgesEverySettingAlone) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(absl::StrCat(row.setting, " for ", row.state));
    const auto reasons = Decide(Policy(PolicyLine(row)), State(row.state), kNow, kNow);
    if (*row.message == '\0') {
      EXPECT_THAT(Settings(reasons), IsEmpty());
      continue;
    }
    ASSERT_THAT(Settings(reasons), ElementsAre(row.setting));
    EXPECT_EQ(reasons[0].message(), row.message);
  }
}

constexpr char kWholePolicy[] = R"(remediation_url: https://h.example/all
antivirus: {enabled: true, real_time_protection: true, max_signature_age: 7d}
automatic_update: {enabled: true, max_age: 35d, min_os_version: "10.0.19045"}
password_policy: {required: true, min_length: 8, max_lock_after_minutes: 15}
disk_encryption: {enabled: true, remediation_url: https://h.example/disk}
device_health_attestation: {max_age: 24h, secure_boot: true, code_integrity: true, boot_debugging: false, kernel_debugging: false, test_signing: false, early_launch_antimalware: true}
)";

TEST(DecideTest, TheTableHasEverySettingOfThePolicy) {
  std::set<std::string> in_table;
  for (const Row& row : kRows) in_table.insert(row.setting);
  const std::vector<std::string> demanded =
      Settings(Decide(Policy(kWholePolicy), State(""), kNow, kNow));
  EXPECT_EQ(in_table, std::set<std::string>(demanded.begin(), demanded.end()));
  EXPECT_EQ(demanded.size(), 17u);
}

TEST(DecideTest, PointsToTheGroupsOwnHelpFirst) {
  for (const v1::DenyReason& reason : Decide(Policy(kWholePolicy), State(""), kNow, kNow)) {
    EXPECT_EQ(reason.remediation_url(), reason.setting() == "disk_encryption.enabled"
                                            ? "https://h.example/disk"
                                            : "https://h.example/all");
  }
}

TEST(DecideTest, JudgesNothingInAReportThatIsTooOld) {
  const CompliancePolicy policy = Policy("report_validity: 1h\ndisk_encryption: {enabled: true}\n");
  const v1::DeviceState good = State("disk_encryption {enabled: true}");
  const auto judge = [&](Timestamp reported_at) { return Decide(policy, good, reported_at, kNow); };
  EXPECT_THAT(judge(kNow), IsEmpty());
  EXPECT_THAT(judge(kNow - hours(1)), IsEmpty());
  const auto stale = judge(kNow - hours(1) - microseconds(1));
  ASSERT_THAT(Settings(stale), ElementsAre("report_validity"));
  EXPECT_EQ(stale[0].message(), "the device's last report is older than 1h");
  EXPECT_THAT(judge(kNow + minutes(5)), IsEmpty());
  const auto future = judge(kNow + minutes(5) + microseconds(1));
  ASSERT_THAT(Settings(future), ElementsAre("report_validity"));
  EXPECT_EQ(future[0].message(), "the device's last report lies in the future");
  EXPECT_THAT(Settings(Decide(policy, State(""), kNow - hours(2), kNow)),
              ElementsAre("report_validity"));
}

}  // namespace
}  // namespace hourglass::issuance
