#include "tests/history/history_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "hsm/base/error.h"
#include "tests/history/client_log.h"
#include "tests/history/journal_file.h"
#include "tests/history/testing/small_history.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::history {
namespace {

absl::StatusOr<ClientLog> ReadLog(const std::string& text) {
  std::istringstream stream(text);
  return ReadClientLog(stream, "log");
}

absl::StatusOr<std::vector<TenantHistory>> ReadJournalText(const std::string& text) {
  std::istringstream stream(text);
  return ReadTenants(stream, "journal");
}

std::string FirstLine(const std::string& client = "broker-1", const std::string& boot = "boot") {
  return FirstLineOfLog(client, boot) + "\n";
}

class HistoryFolderTest : public testing::Test {
 protected:
  HistoryFolderTest() { std::filesystem::create_directory(folder_.File(kClientsFolder)); }

  void WriteLog(const std::string& name, const std::string& text) {
    folder_.Write(absl::StrCat(kClientsFolder, "/", name, kLogSuffix), text);
  }

  // A log for each client of the history.
  void WriteLogs(const History& history) {
    std::map<std::string, std::string> logs;
    for (const IssueCall& call : history.issuing) {
      absl::StrAppend(&logs[call.call.client], LogLine(call), "\n");
    }
    for (const AdministrativeCall& call : history.administration) {
      absl::StrAppend(&logs[call.call.client], LogLine(call), "\n");
    }
    for (const auto& [client, lines] : logs) {
      WriteLog(client, absl::StrCat(FirstLine(client), lines, LastLineOfLog(), "\n"));
    }
  }

  const TemporaryDirectory folder_;
  SmallHistory small_{true};
};

TEST_F(HistoryFolderTest, WhatIsWrittenIsRead) {
  // A record and a call of every form.
  small_.CallOf("unreleased").outcome = Refused{"UNAVAILABLE", "STOPPING", "an \"odd\"\n word"};
  small_.ChangeOf(AdministrativeMethod::kCreateRoot, "r1").outcome =
      Unanswered{"DEADLINE_EXCEEDED", "late"};
  small_.ChangeOf(AdministrativeMethod::kCreateRoot, "r2").outcome =
      Refused{"RESOURCE_EXHAUSTED", "OVERLOADED", "much"};
  small_.ActionOf("root_created", "r1").committed_at.reset();
  small_.RecordOf("new").intent_committed_at.reset();
  small_.tenant().intermediates[0].released_at.reset();
  small_.tenant().intermediates[0].certificate.clear();
  small_.tenant().epoch = ~std::uint64_t{0};
  WriteLogs(small_.history);
  ASSERT_OK(WriteJournal(folder_.path(), small_.history.tenants));
  ASSERT_OK_AND_ASSIGN(const History read, ReadHistory(folder_.path()));
  EXPECT_EQ(read.tenants, small_.history.tenants);
  EXPECT_THAT(read.issuing, testing::UnorderedElementsAreArray(small_.history.issuing));
  EXPECT_EQ(read.administration, small_.history.administration);
  EXPECT_TRUE(read.logs_are_whole);
  EXPECT_EQ(read.torn_lines, 0);
}

TEST_F(HistoryFolderTest, OneClientThatWasKilledMakesTheLogsNoWhole) {
  WriteLogs(small_.history);
  ASSERT_OK(WriteJournal(folder_.path(), small_.history.tenants));
  WriteLog("broker-7", FirstLine("broker-7"));
  WriteLog("broker-8", "");
  WriteLog("broker-9", "{\"client_l");
  ASSERT_OK_AND_ASSIGN(const History read, ReadHistory(folder_.path()));
  EXPECT_FALSE(read.logs_are_whole);
  EXPECT_EQ(read.torn_lines, 1);
  EXPECT_EQ(read.issuing.size(), small_.history.issuing.size());
}

TEST_F(HistoryFolderTest, AFolderThatLacksSomethingIsRefused) {
  EXPECT_THAT(ReadHistory(folder_.path()),
              FailsWith(ErrorReason::kFieldInvalid, folder_.File("clients")));
  WriteLogs(small_.history);
  EXPECT_THAT(ReadHistory(folder_.path()),
              FailsWith(ErrorReason::kFieldInvalid, folder_.File("journal.jsonl")));
  ASSERT_OK(WriteJournal(folder_.path(), small_.history.tenants));
  EXPECT_OK(ReadHistory(folder_.path()));
  EXPECT_THAT(ReadHistory(folder_.File("nowhere")),
              FailsWith(ErrorReason::kFieldInvalid, folder_.File("nowhere/clients")));
  EXPECT_THAT(WriteJournal(folder_.File("nowhere"), small_.history.tenants),
              FailsWith(ErrorReason::kFieldInvalid, folder_.File("nowhere/journal.jsonl")));
}

TEST_F(HistoryFolderTest, LogsThatCannotBeComparedAreRefused) {
  ASSERT_OK(WriteJournal(folder_.path(), small_.history.tenants));
  WriteLog("1", FirstLine("broker-1"));
  WriteLog("2", FirstLine("broker-2"));
  ASSERT_OK(ReadHistory(folder_.path()));
  WriteLog("2", FirstLine("broker-1"));
  EXPECT_THAT(ReadHistory(folder_.path()),
              FailsWith(ErrorReason::kFieldInvalid, folder_.File("clients/2.jsonl")))
      << "two processes of one name";
  WriteLog("2", FirstLine("broker-2", "another boot"));
  EXPECT_THAT(ReadHistory(folder_.path()),
              FailsWith(ErrorReason::kFieldInvalid, folder_.File("clients/2.jsonl")));
}

TEST_F(HistoryFolderTest, OnlyALastLineMayBeTorn) {
  const std::string whole = absl::StrCat(FirstLine(), LogLine(small_.CallOf("old")), "\n");
  const std::string next = LogLine(small_.CallOf("new")) + "\n";
  ASSERT_OK_AND_ASSIGN(const ClientLog log, ReadLog(whole + next));
  ASSERT_EQ(log.issuing.size(), 2U);
  EXPECT_FALSE(log.is_torn);
  for (std::size_t size = 1; size < next.size(); ++size) {
    ASSERT_OK_AND_ASSIGN(const ClientLog torn, ReadLog(whole + next.substr(0, size)));
    EXPECT_EQ(torn.issuing.size(), 1U) << size;
    EXPECT_TRUE(torn.is_torn) << size;
  }
  const std::string torn = next.substr(0, next.size() / 2) + "\n";
  EXPECT_THAT(ReadLog(whole + torn), FailsWith(ErrorReason::kFieldInvalid, "log:3"));
  EXPECT_THAT(ReadLog(whole + torn + next), FailsWith(ErrorReason::kFieldInvalid, "log:3"));
}

TEST_F(HistoryFolderTest, ALineOfALogThatIsNoneIsRefused) {
  const std::string line = LogLine(small_.CallOf("old")) + "\n";
  ASSERT_OK(ReadLog(FirstLine() + line));
  EXPECT_THAT(ReadLog(line), FailsWith(ErrorReason::kFieldInvalid, "log:1"));
  EXPECT_THAT(ReadLog(FirstLine() + FirstLine()), FailsWith(ErrorReason::kFieldInvalid, "log:2"));
  EXPECT_THAT(ReadLog(FirstLine() + "\n"), FailsWith(ErrorReason::kFieldInvalid, "log:2"));
  EXPECT_THAT(ReadLog(absl::StrCat(FirstLine(), LastLineOfLog(), "\n", line)),
              FailsWith(ErrorReason::kFieldInvalid, "log:3"));
  const auto changed = [&line](absl::string_view from, absl::string_view to) {
    const std::string text = absl::StrReplaceAll(line, {{from, to}});
    EXPECT_NE(text, line) << from;
    return ReadLog(FirstLine() + text);
  };
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"IssueCertificate", "IssueCertificates"},
           {"\"sent\":10000000", "\"sent\":12000001"},
           {"\"sent\":10000000", "\"sent\":\"10000000\""},
           {"\"sent\":10000000", "\"sent\":10000000,\"more\":1"},
           {"\"request\":\"old\"", "\"request\":1"},
           {"\"certificate\":\"", "\"certificate\":\"?"},
           {"\"certificate\":", "\"unanswered\":"},
       }) {
    EXPECT_THAT(changed(from, to), FailsWith(ErrorReason::kFieldInvalid, "log:2")) << to;
  }
}

TEST_F(HistoryFolderTest, AJournalThatWasCutOffIsRefused) {
  std::ostringstream written;
  WriteTenant(small_.tenant(), written);
  const std::string text = written.str();
  ASSERT_OK_AND_ASSIGN(const std::vector<TenantHistory> tenants, ReadJournalText(text));
  EXPECT_THAT(tenants, testing::ElementsAre(small_.tenant()));
  EXPECT_THAT(ReadJournalText(text.substr(0, text.size() - 1)),
              FailsWith(ErrorReason::kFieldInvalid, "journal"));
  const std::size_t last_line = text.rfind('\n', text.size() - 2) + 1;
  EXPECT_THAT(ReadJournalText(text.substr(0, last_line)),
              FailsWith(ErrorReason::kFieldInvalid, "journal"));
  EXPECT_THAT(ReadJournalText(text + text.substr(last_line)), FailsWith(ErrorReason::kFieldInvalid))
      << "one tenant twice";
  EXPECT_THAT(ReadJournalText(text.substr(10)), FailsWith(ErrorReason::kFieldInvalid, "journal:1"));
  for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
           {"\"record\":\"root\"", "\"record\":\"tree\""},
           {"\"state\":\"RETIRING\"", "\"state\":\"TIRED\""},
           {"\"sequence\":3", "\"sequence\":-3"},
           {"\"epoch\":1", "\"epoch\":1.5"},
           {"\"record\":\"tenant\"", "\"record\":\"tenant\",\"more\":0"},
       }) {
    const std::string spoiled = absl::StrReplaceAll(text, {{from, to}});
    ASSERT_NE(spoiled, text) << from;
    EXPECT_THAT(ReadJournalText(spoiled), FailsWith(ErrorReason::kFieldInvalid)) << to;
  }
}

}  // namespace
}  // namespace hourglass::history
