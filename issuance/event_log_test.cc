#include "issuance/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "tests/support/status_matchers.h"

namespace hourglass::issuance {
namespace {

using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

TEST(EventLogTest, WritesOneJsonObjectALine) {
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("info"));
    log.Info("certificate_issued", {{"tenant", "contoso"}, {"user", "zoë@contoso.example"}});
  }
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  ASSERT_EQ(lines.size(), 1u);
  const nlohmann::json line = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(line["level"], "info");
  EXPECT_EQ(line["event"], "certificate_issued");
  EXPECT_EQ(line["tenant"], "contoso");
  EXPECT_EQ(line["user"], "zoë@contoso.example");
  EXPECT_THAT(line["time"].get<std::string>(),
              testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{6}Z"));
}

TEST(EventLogTest, NothingInAFieldCanMakeUpALineOrAField) {
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("info"));
    log.Warning("call_failed", {{"message", "x\"}\n{\"event\":\"forged\"} %v \xff\x01"}});
  }
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  ASSERT_EQ(lines.size(), 1u);
  const nlohmann::json line = nlohmann::json::parse(lines[0]);
  EXPECT_EQ(line["event"], "call_failed");
  EXPECT_EQ(line["message"], "x\"}\n{\"event\":\"forged\"} %v \xef\xbf\xbd\x01");
}

TEST(EventLogTest, LongFieldsAreCut) {
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("info"));
    log.Info("call_failed", {{"fits", std::string(1024, 'a')}, {"long", std::string(5000, 'b')}});
  }
  const nlohmann::json line = nlohmann::json::parse(GetCapturedStderr());
  EXPECT_EQ(line["fits"], std::string(1024, 'a'));
  EXPECT_EQ(line["long"], std::string(1024, 'b') + "\xe2\x80\xa6");
}

TEST(EventLogTest, TheLevelDecidesWhatIsWritten) {
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("warning"));
    log.Debug("first", {});
    log.Info("second", {});
    log.Warning("third", {});
    log.Failure("fourth", {});
  }
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(nlohmann::json::parse(lines[0])["event"], "third");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["event"], "fourth");
  EXPECT_EQ(nlohmann::json::parse(lines[1])["level"], "error");
}

TEST(EventLogTest, RefusesALevelThatIsNone) {
  EXPECT_THAT(EventLog::ToStandardError("loud"),
              FailsWith(ErrorReason::kConfigurationInvalid, "log_level"));
}

}  // namespace
}  // namespace hourglass::issuance
