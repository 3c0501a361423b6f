// More cases: tests/conformance/policy/filter_rules.json.
#include "issuance/access/filter_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/status_matchers.h"

namespace hourglass::access {
namespace {

using testing::HasSubstr;

std::string MessageOf(absl::string_view rule) {
  const auto parsed = FilterRule::Parse(rule);
  EXPECT_THAT(parsed, FailsWith(ErrorReason::kFieldInvalid, "rule")) << rule;
  return std::string(parsed.status().message());
}

TEST(FilterRuleTest, WritesWhatItRead) {
  ASSERT_OK_AND_ASSIGN(
      const FilterRule rule,
      FilterRule::Parse("NOT (device.MODEL eq 'a\"b`' or device.isCompliant -ne true) -and "
                        "device.deviceid -in ['x','y'] and device.manufacturer -eq null"));
  EXPECT_EQ(rule.Text(),
            "(-not (device.model -eq \"a`\"b``\" -or device.isCompliant -ne \"true\")) -and "
            "device.deviceId -in [\"x\", \"y\"] -and device.manufacturer -eq null");
  ASSERT_OK_AND_ASSIGN(const FilterRule again, FilterRule::Parse(rule.Text()));
  EXPECT_EQ(again, rule);
}

TEST(FilterRuleTest, SaysWhatWasExpected) {
  EXPECT_THAT(MessageOf("device.deviceId -startsWith \"a\""),
              HasSubstr("column 17: expected -eq, -ne, -in, -notIn, found '-startsWith'"));
  EXPECT_THAT(MessageOf("device.colour -eq \"a\""), HasSubstr("operatingSystemVersion"));
  EXPECT_THAT(MessageOf("device.model \u2013eq \"a\""), HasSubstr("a dash, which is no hyphen"));
  EXPECT_THAT(MessageOf("device.model -eq \u201ca\u201d"), HasSubstr("typographic"));
  EXPECT_THAT(MessageOf("device.model -eq \"a"), HasSubstr("ends the text of column 18"));
  EXPECT_THAT(MessageOf("device.trustType -eq \"x\""),
              HasSubstr("expected \"AzureAD\" or \"ServerAD\" or \"Workplace\""));
  EXPECT_THAT(MessageOf("device.model -eq \"a\" \x01"), HasSubstr("U+0001"));
}

TEST(FilterRuleTest, RefusesWhatIsNoUtf8) {
  EXPECT_THAT(MessageOf("device.model -eq \"\xff\""), HasSubstr("expected UTF-8"));
}

// What folds to nothing stands in every text.
TEST(FilterRuleTest, RefusesAPartThatIsNotSeen) {
  EXPECT_THAT(MessageOf("device.model -contains \"\u200b\""), HasSubstr("not empty"));
  EXPECT_OK(FilterRule::Parse("device.model -eq \"\""));
}

TEST(FilterRuleTest, HasAsManyComparisonsAsFit) {
  std::string text = "device.model -eq \"0\"";
  for (int i = 1; text.size() < kMaxFilterRule - 30; ++i) {
    absl::StrAppend(&text, " -or device.model -eq \"", i, "\"");
  }
  ASSERT_OK_AND_ASSIGN(const FilterRule rule, FilterRule::Parse(text));
  DeviceFacts device;
  device.registered = true;
  device.attribute(DeviceAttribute::kModel) = {{"100"}};
  EXPECT_EQ(rule.Matches(DeviceView(device, true)), Truth::kYes);
  device.attribute(DeviceAttribute::kModel) = {{"x"}};
  EXPECT_EQ(rule.Matches(DeviceView(device, true)), Truth::kNo);
}

}  // namespace
}  // namespace hourglass::access
