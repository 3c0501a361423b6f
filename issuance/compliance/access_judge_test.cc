#include "issuance/compliance/access_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "issuance/compliance/decision.h"
#include "issuance/store/testing/sample_records.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using access::ComplianceState;
using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

constexpr char kCompliantDevice[] = R"({"value": [{"id": "a", "displayName": "VPN",
  "state": "enabled", "conditions": {"users": {"includeUsers": ["All"]},
  "applications": {"includeApplications": ["All"]}},
  "grantControls": {"operator": "AND", "builtInControls": ["compliantDevice"]}}]})";
constexpr char kBitLocker[] = R"({"value": [{"@odata.type":
  "#microsoft.graph.windows10CompliancePolicy", "id": "w", "displayName": "Windows",
  "bitLockerEnabled": true, "secureBootEnabled": true, "scheduledActionsForRule": [{"ruleName":
  "PasswordRequired", "scheduledActionConfigurations": [{"actionType": "block",
  "gracePeriodHours": 24}]}]}]})";

std::shared_ptr<const TenantPolicies> Prepared(const std::vector<std::string>& documents) {
  PolicySet set{7, {}};
  for (const std::string& document : documents) {
    set.policies.push_back(SamplePolicy("p" + std::to_string(set.policies.size())));
    set.policies.back().document = document;
  }
  auto prepared = PrepareTenantPolicies(set, {});
  EXPECT_OK(prepared);
  return prepared.ok() ? *prepared : std::make_shared<TenantPolicies>();
}

AccessFacts ReportedDevice(bool bitlocker) {
  AccessFacts known;
  known.facts.device.registered = true;
  known.report.reported_at = SampleTime();
  known.report.platform = access::Platform::kWindows;
  known.report.health.bitlocker = bitlocker;
  known.report.health.secure_boot = true;
  return known;
}

std::vector<std::string> SettingsOf(const AccessJudgement& judgement) {
  std::vector<std::string> settings;
  for (const v1::DenyReason& reason : judgement.reasons) settings.push_back(reason.setting());
  return settings;
}

TEST(AccessJudgeTest, TellsTheControlAndWhatTheDeviceLacks) {
  const auto policies = Prepared({kCompliantDevice, kBitLocker});
  AccessConfig config;
  config.remediation_url = "https://help.example";
  config.remediation_urls["bitlockerenabled"] = "https://help.example/bitlocker";
  const auto denied = JudgeAccess(*policies, config, {}, ReportedDevice(false), SampleTime());
  EXPECT_THAT(SettingsOf(denied), ElementsAre("compliantDevice", "bitLockerEnabled"));
  EXPECT_EQ(denied.reasons[0].message(), "the device must be compliant: not satisfied (\"VPN\")");
  EXPECT_EQ(denied.reasons[0].remediation_url(), "https://help.example");
  EXPECT_THAT(denied.reasons[1].message(), EndsWith("(\"Windows\")"));
  EXPECT_EQ(denied.reasons[1].remediation_url(), "https://help.example/bitlocker");
  EXPECT_EQ(denied.compliance.state, ComplianceState::kNoncompliant);
  const auto allowed = JudgeAccess(*policies, config, {}, ReportedDevice(true), SampleTime());
  EXPECT_THAT(allowed.reasons, IsEmpty());
  EXPECT_EQ(allowed.compliance.state, ComplianceState::kCompliant);
}

TEST(AccessJudgeTest, CompliancePoliciesAloneDemandACompliantDevice) {
  const auto policies = Prepared({kBitLocker});
  EXPECT_THAT(SettingsOf(JudgeAccess(*policies, {}, {}, ReportedDevice(false), SampleTime())),
              ElementsAre("bitLockerEnabled"));
  EXPECT_THAT(SettingsOf(JudgeAccess(*policies, {}, {}, ReportedDevice(true), SampleTime())),
              IsEmpty());
  EXPECT_THAT(SettingsOf(JudgeAccess(*policies, {}, {}, {}, SampleTime())),
              ElementsAre("reportValidity"));
}

TEST(AccessJudgeTest, AGracePeriodCountsUnlessTheTenantSaysOtherwise) {
  AccessFacts known = ReportedDevice(false);
  known.report.noncompliant_since = SampleTime() - std::chrono::hours(23);
  AccessConfig strict;
  strict.options.grace_period_is_compliant = false;
  const auto alone = Prepared({kBitLocker});
  EXPECT_THAT(SettingsOf(JudgeAccess(*alone, {}, {}, known, SampleTime())), IsEmpty());
  EXPECT_THAT(SettingsOf(JudgeAccess(*alone, strict, {}, known, SampleTime())),
              ElementsAre("bitLockerEnabled"));
  known.report.noncompliant_since = SampleTime() - std::chrono::hours(24);
  EXPECT_THAT(SettingsOf(JudgeAccess(*alone, {}, {}, known, SampleTime())),
              ElementsAre("bitLockerEnabled"));
}

TEST(AccessJudgeTest, TheFileIsDemandedBesideAllOthers) {
  const auto policies = Prepared({kCompliantDevice});
  FileFindings file;
  file.has_file = true;
  EXPECT_THAT(SettingsOf(JudgeAccess(*policies, {}, file, ReportedDevice(true), SampleTime())),
              IsEmpty());
  file.reasons = {MakeDenyReason("disk_encryption.enabled", "disk encryption is off", "")};
  const auto denied = JudgeAccess(*policies, {}, file, ReportedDevice(true), SampleTime());
  EXPECT_THAT(SettingsOf(denied), ElementsAre("disk_encryption.enabled", "compliantDevice"));
  EXPECT_EQ(denied.compliance.state, ComplianceState::kNoncompliant);
  // Without a file a device needs a compliance policy to be compliant.
  EXPECT_THAT(SettingsOf(JudgeAccess(*policies, {}, {}, ReportedDevice(true), SampleTime())),
              ElementsAre("compliantDevice", "policy"));
}

TEST(AccessJudgeTest, OfADeviceThatNobodyReportedComplianceIsNotKnown) {
  const auto policies = Prepared({kCompliantDevice, kBitLocker});
  const auto denied = JudgeAccess(*policies, {}, {}, {}, SampleTime());
  ASSERT_THAT(SettingsOf(denied), ElementsAre("compliantDevice", "reportValidity"));
  EXPECT_EQ(denied.reasons[0].message(),
            "the device must be compliant: it is not known whether this is so (\"VPN\")");
}

// A verdict with a control character would be none.
TEST(AccessJudgeTest, WordsOfPoliciesAreMadePlain) {
  std::string document = kCompliantDevice;
  document.replace(document.find("VPN"), 3, "V\\nP\\u001b");
  const auto denied =
      JudgeAccess(*Prepared({document}), {}, {}, ReportedDevice(false), SampleTime());
  ASSERT_FALSE(denied.reasons.empty());
  EXPECT_THAT(denied.reasons[0].message(), EndsWith("(\"V?P?\")"));
}

TEST(AccessJudgeTest, TheVersionNamesBothWithin256Octets) {
  const auto policies = Prepared({kBitLocker});
  const auto idle = std::make_shared<TenantPolicies>();
  EXPECT_EQ(PolicyVersionOf(*policies, {}), "ca:7");
  EXPECT_EQ(PolicyVersionOf(*policies, {true, "v1 (sha256:0)", {}}), "v1 (sha256:0) ca:7");
  EXPECT_EQ(PolicyVersionOf(*idle, {true, "v1", {}}), "v1");
  std::string longest;
  for (int i = 0; i < 128; ++i) longest += "ö";
  const std::string cut = PolicyVersionOf(*policies, {true, longest, {}});
  EXPECT_EQ(cut.size(), 255U);
  EXPECT_THAT(cut, EndsWith("ö ca:7"));
}

}  // namespace
}  // namespace hourglass::issuance
