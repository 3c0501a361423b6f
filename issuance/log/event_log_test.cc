#include "issuance/log/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
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

TEST(EventLogTest, NothingInAFieldSteersATerminal) {
  CaptureStderr();
  const std::string field =
      "admin\u202e@elpmaxe \xc2\x9b"
      "31m\x7f\u200b m\u00fcller";
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("info"));
    log.Warning("call_failed", {{"user", field}});
  }
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_THAT(lines[0],
              testing::HasSubstr("\"admin\\u202e@elpmaxe \\u009b31m\\u007f\\u200b m\u00fcller\""));
  EXPECT_EQ(nlohmann::json::parse(lines[0])["user"], field);
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

// The lines of `event` that were written, and how many were left out, told by whichever line.
struct Told {
  std::uint64_t written = 0;
  std::uint64_t left_out = 0;
  std::set<std::string> levels;
};

Told ToldOf(const std::vector<std::string>& lines, const std::string& event,
            const std::string& caller = "") {
  Told told;
  for (const std::string& text : lines) {
    const nlohmann::json line = nlohmann::json::parse(text);
    if (!caller.empty() && line["caller"] != caller) continue;
    if (line["event"] == event) {
      ++told.written;
    } else if (line["event"] != "lines_left_out" || line["of"] != event) {
      continue;
    }
    if (line.contains("left_out")) {
      std::uint64_t left_out = 0;
      EXPECT_TRUE(absl::SimpleAtoi(line["left_out"].get<std::string>(), &left_out)) << text;
      told.left_out += left_out;
    }
    told.levels.insert(line["level"]);
  }
  return told;
}

TEST(EventLogTest, AFloodIsSampledAndEveryLineCounted) {
  constexpr std::uint64_t kLines = 20000;
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("info"));
    for (std::uint64_t i = 0; i < kLines; ++i) log.Info("certificate_issued", {{"caller", "a"}});
    log.Info("stopping", {});
  }
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  const Told issued = ToldOf(lines, "certificate_issued");
  EXPECT_GE(issued.written, 1000u);
  EXPECT_GE(issued.left_out, 1u);
  EXPECT_EQ(issued.written + issued.left_out, kLines);
  EXPECT_THAT(issued.levels, testing::ElementsAre("info"));
  EXPECT_EQ(ToldOf(lines, "stopping").written, 1u);
}

TEST(EventLogTest, OneCallersRefusalsDoNotHideAnothers) {
  constexpr std::uint64_t kLines = 10000;
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("warning"));
    for (std::uint64_t i = 0; i < kLines; ++i) {
      log.Warning("call_failed", {{"caller", "loud"}, {"reason", "TENANT_NOT_PERMITTED"}});
    }
    log.Warning("call_failed", {{"caller", "quiet"}, {"reason", "TENANT_NOT_PERMITTED"}});
    log.Warning("call_failed", {{"caller", "loud"}, {"reason", "OVERLOADED"}});
  }
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  const Told loud = ToldOf(lines, "call_failed", "loud");
  EXPECT_GE(loud.written, 101u);
  EXPECT_GE(loud.left_out, 1u);
  EXPECT_EQ(loud.written + loud.left_out, kLines + 1);
  EXPECT_THAT(loud.levels, testing::ElementsAre("warning"));
  EXPECT_EQ(ToldOf(lines, "call_failed", "quiet").written, 1u);
  EXPECT_THAT(lines, testing::Contains(testing::AllOf(testing::HasSubstr("loud"),
                                                      testing::HasSubstr("OVERLOADED"))));
}

// As when no verdict comes, for more brokers than are told apart.
TEST(EventLogTest, RefusalsOfVeryManyCallersHideNothingElse) {
  constexpr std::uint64_t kCallers = 5000;
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("info"));
    for (std::uint64_t i = 0; i < kCallers; ++i) {
      log.Warning("call_failed",
                  {{"caller", std::to_string(i)}, {"reason", "COMPLIANCE_UNAVAILABLE"}});
    }
    log.Info("root_moved", {{"caller", "admin"}});
    log.Failure("key_failed", {{"tenant", "contoso"}});
  }
  const std::vector<std::string> lines = Lines(GetCapturedStderr());
  EXPECT_LT(ToldOf(lines, "call_failed").written, kCallers);
  EXPECT_EQ(ToldOf(lines, "root_moved").written, 1u);
  EXPECT_EQ(ToldOf(lines, "key_failed").written, 1u);
}

TEST(EventLogTest, OnePlaceOfALibraryDoesNotHideAnother) {
  constexpr std::uint64_t kLines = 10000;
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log, EventLog::ToStandardError("warning"));
    for (std::uint64_t i = 0; i < kLines; ++i) {
      log.Warning("library_said", {{"library", "grpc"}, {"at", "handshake.cc:1"}});
    }
    log.Warning("library_said", {{"library", "grpc"}, {"at", "listener.cc:2"}});
  }
  const std::string text = GetCapturedStderr();
  EXPECT_LT(ToldOf(Lines(text), "library_said").written, 1000u);
  EXPECT_THAT(text, testing::HasSubstr("listener.cc:2"));
}

TEST(EventLogTest, LeavesOutWhoWhereThatIsWanted) {
  CaptureStderr();
  {
    ASSERT_OK_AND_ASSIGN(const EventLog log,
                         EventLog::ToStandardError("info", EventLog::PersonalData::kLeftOut));
    log.Info("certificate_issued",
             {{"tenant", "contoso"}, {"user", "zoe@contoso.example"}, {"device", "zoes-laptop"}});
  }
  const std::string text = GetCapturedStderr();
  EXPECT_THAT(text, testing::HasSubstr("contoso"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("zoe")));
}

TEST(EventLogTest, RefusesALevelThatIsNone) {
  EXPECT_THAT(EventLog::ToStandardError("loud"),
              FailsWith(ErrorReason::kConfigurationInvalid, "log_level"));
}

}  // namespace
}  // namespace hourglass::issuance
