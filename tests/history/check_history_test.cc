// The program as a script runs it: what it says, and its exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/history/client_log.h"
#include "tests/history/history_folder.h"
#include "tests/history/testing/small_history.h"
#include "tests/support/status_matchers.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::history {
namespace {

using testing::HasSubstr;

constexpr char kProgram[] = "tests/history/check_history";

class CheckHistoryTest : public testing::Test {
 protected:
  void Write() {
    std::filesystem::create_directory(folder_.File(kClientsFolder));
    std::map<std::string, std::string> logs;
    for (const IssueCall& call : small_.history.issuing) {
      logs[call.call.client] += LogLine(call) + "\n";
    }
    for (const AdministrativeCall& call : small_.history.administration) {
      logs[call.call.client] += LogLine(call) + "\n";
    }
    for (const auto& [client, lines] : logs) {
      folder_.Write("clients/" + client + ".jsonl",
                    FirstLineOfLog(client, "boot") + "\n" + lines + LastLineOfLog() + "\n");
    }
    ASSERT_OK(WriteJournal(folder_.path(), small_.history.tenants));
  }

  CommandResult Run(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {kProgram, folder_.path()});
    return RunCommand(options);
  }

  const TemporaryDirectory folder_;
  SmallHistory small_;
};

TEST_F(CheckHistoryTest, ASoundHistoryIsOk) {
  Write();
  const CommandResult result = Run({"--certificates", "3", "--promotions", "2"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("received              3  certificates, 1 of them again\n"));
  EXPECT_THAT(result.output, HasSubstr("\nno violation\n"));
}

TEST_F(CheckHistoryTest, AViolationIsAFailure) {
  small_.tenant().certificates.pop_back();
  Write();
  const CommandResult result = Run({"--shown", "1"});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_THAT(result.output, HasSubstr("received_missing: the journal has no such request\n"));
  EXPECT_THAT(result.output, testing::Not(HasSubstr("    broker-2 asked")));
  EXPECT_THAT(result.output, HasSubstr("rule                  2  received_missing\n"));
  EXPECT_THAT(result.output, HasSubstr("\n2 violations\n"));
}

TEST_F(CheckHistoryTest, WhatShowsNothingIsNoSuccess) {
  Write();
  EXPECT_EQ(Run({"--certificates", "4"}).exit_code, 2);
  EXPECT_EQ(Run({"--promotions", "3"}).exit_code, 2);
  small_.history.issuing.clear();
  small_.tenant().certificates.clear();
  for (const auto& log : std::filesystem::directory_iterator(folder_.File(kClientsFolder))) {
    std::filesystem::remove(log);
  }
  Write();
  const CommandResult result = Run();
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_THAT(result.output, HasSubstr("too short to show anything"));
}

TEST_F(CheckHistoryTest, WhatCannotBeReadIsNoSuccess) {
  EXPECT_EQ(Run().exit_code, 2) << "there are no logs";
  Write();
  ASSERT_EQ(Run().exit_code, 0);
  folder_.Write("clients/broker-1.jsonl", "nothing\n");
  const CommandResult result = Run();
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("clients/broker-1.jsonl:1: is no JSON object"));
  EXPECT_EQ(RunCommand({kProgram}).exit_code, 2);
  EXPECT_EQ(Run({"--nonsense"}).exit_code, 2);
  EXPECT_EQ(RunCommand({kProgram, "--help"}).exit_code, 0);
}

}  // namespace
}  // namespace hourglass::history
