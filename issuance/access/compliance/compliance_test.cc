// What settings decide is in tests/conformance/policy/compliance.json.
#include "issuance/access/compliance/compliance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "issuance/access/compliance/settings.h"
#include "issuance/base/os_version.h"

namespace hourglass::access {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Timestamp kNow{std::chrono::seconds(1790000000)};

CompliancePolicy Policy() {
  CompliancePolicy policy;
  policy.id = "p";
  policy.display_name = "Laptops";
  policy.type = "windows10CompliancePolicy";
  return policy;
}

ComplianceFacts Reported() {
  ComplianceFacts facts;
  facts.reported_at = kNow - hours(1);
  facts.platform = Platform::kWindows;
  return facts;
}

ComplianceResult Judge(const CompliancePolicy& policy, const ComplianceFacts& facts) {
  return EvaluateCompliance({policy}, facts, {}, kNow);
}

TEST(ComplianceTest, TellsEachUnmetSettingInWords) {
  CompliancePolicy policy = Policy();
  policy.settings = {{"bitLockerEnabled", true}, {"osMinimumVersion", std::string("10.0.19045")}};
  ComplianceFacts facts = Reported();
  facts.os_version = "10.0.9600";
  const ComplianceResult result = Judge(policy, facts);
  EXPECT_EQ(result.state, ComplianceState::kNoncompliant);
  EXPECT_THAT(
      result.unmet,
      ElementsAre(UnmetSetting{"p", "Laptops", "bitLockerEnabled",
                               "BitLocker at the last start must be there and on; it is not known "
                               "whether this is so"},
                  UnmetSetting{"p", "Laptops", "osMinimumVersion",
                               "the operating system must be at version 10.0.19045 or a later "
                               "one; it is at 10.0.9600"}));
}

TEST(ComplianceTest, SaysWhenGraceAndReportEnd) {
  CompliancePolicy policy = Policy();
  policy.settings = {{"tpmRequired", true}};
  policy.actions = {{"block", 48}, {"block", 24}};
  ComplianceFacts facts = Reported();
  facts.noncompliant_since = kNow - hours(20);
  const ComplianceResult result = Judge(policy, facts);
  EXPECT_EQ(result.state, ComplianceState::kInGracePeriod);
  EXPECT_EQ(result.grace_ends_at, kNow + hours(4));
  EXPECT_EQ(result.report_expires_at, kNow + hours(30 * 24 - 1));
  EXPECT_THAT(result.notes, IsEmpty());
  facts.noncompliant_since = kNow + hours(20);
  EXPECT_EQ(Judge(policy, facts).grace_ends_at, kNow + hours(24)) << "the future adds nothing";
}

TEST(ComplianceTest, SaysWhyThereIsNoGrace) {
  CompliancePolicy policy = Policy();
  policy.settings = {{"tpmRequired", true}};
  EXPECT_THAT(Judge(policy, Reported()).notes,
              ElementsAre(HasSubstr("without its scheduled actions")));
  policy.actions = {{"block", 24}};
  const ComplianceResult result = Judge(policy, Reported());
  EXPECT_THAT(result.notes, ElementsAre(HasSubstr("not known since when")));
  EXPECT_EQ(result.state, ComplianceState::kNoncompliant);
  EXPECT_EQ(result.grace_ends_at, std::nullopt);
}

TEST(ComplianceTest, TheOrderOfPoliciesDecidesNothing) {
  CompliancePolicy a = Policy();
  a.settings = {{"tpmRequired", true}};
  CompliancePolicy b = Policy();
  b.id = "q";
  b.settings = {{"rtpEnabled", true}};
  EXPECT_EQ(EvaluateCompliance({a, b}, Reported(), {}, kNow).unmet,
            EvaluateCompliance({b, a}, Reported(), {}, kNow).unmet);
}

TEST(ComplianceTest, ComparesVersionsNumberByNumber) {
  EXPECT_LT(issuance::ParseOsVersion("10.0.9"), issuance::ParseOsVersion("10.0.10"));
  EXPECT_EQ(issuance::ParseOsVersion("14"), issuance::ParseOsVersion("14.0.0.0"));
  for (const char* const text :
       {"", ".", "1.", "1..2", "1.2.3.4.5", "1.a", "-1", "1 ", "1234567890"}) {
    EXPECT_EQ(issuance::ParseOsVersion(text), std::nullopt) << text;
  }
}

TEST(ComplianceTest, AValueOfAnotherTypeIsNotMet) {
  CompliancePolicy policy = Policy();
  policy.settings = {{"osMinimumVersion", 10}, {"passwordMinimumLength", std::string("8")}};
  ComplianceFacts facts = Reported();
  facts.os_version = "10.0";
  facts.password.minimum_length = 8;
  EXPECT_THAT(Judge(policy, facts).unmet,
              testing::Each(testing::Field(&UnmetSetting::message, HasSubstr("another type"))));
  EXPECT_EQ(Judge(policy, facts).unmet.size(), 2U);
}

// A row whose fact does not fit its form would throw.
TEST(ComplianceTest, EverySettingIsNotMetByWhatIsNotKnown) {
  std::set<absl::string_view> names;
  for (const SettingRow& row : SettingRows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    SettingValue value = true;
    if (row.form == SettingForm::kLeastNumber || row.form == SettingForm::kGreatestNumber)
      value = 1;
    if (row.form == SettingForm::kLeastVersion || row.form == SettingForm::kGreatestVersion) {
      value = std::string("1.0");
    }
    if (row.form == SettingForm::kLeastDate) value = std::string("2026-01-01");
    if (row.form == SettingForm::kThreat) value = std::string("high");
    if (row.form == SettingForm::kPassword) value = std::string("numeric");
    CompliancePolicy policy = Policy();
    policy.settings = {{std::string(row.name), value}};
    ComplianceFacts facts = Reported();
    facts.platform = row.phones_only ? Platform::kWindowsPhone : Platform::kWindows;
    EXPECT_EQ(Judge(policy, facts).unmet.empty(), row.form == SettingForm::kNothing) << row.name;
  }
}

}  // namespace
}  // namespace hourglass::access
