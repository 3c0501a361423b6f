// hourglass-bench end to end, in its quick form: that every part works, not how fast anything is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/as_account.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;

class BenchTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(in_tmp_);
    // PostgreSQL runs as nobody in there where this is root.
    ASSERT_EQ(chmod(files_.path().c_str(), 0711), 0);
  }

  CommandResult Bench(std::vector<std::string> words) {
    words.insert(words.begin(), {"tools/bench/hourglass-bench", "--scratch", files_.path()});
    return RunCommand(words);
  }

  const bool in_tmp_ = UseTmp();
  TemporaryDirectory files_;
};

TEST_F(BenchTest, MeasuresEveryPart) {
  const CommandResult run = Bench({"--quick", "--json", "--output", files_.File("report.json"),
                                   "--plot", files_.File("charts")});
  ASSERT_EQ(run.exit_code, 0) << run.output;
  const auto report =
      nlohmann::json::parse(ReadFileOrDie(files_.File("report.json")), nullptr, false);
  ASSERT_TRUE(report.is_object()) << run.output;
  EXPECT_EQ(report["quick"], true);
  EXPECT_TRUE(report["failures"].empty()) << report["failures"];

  std::map<std::string, int> figures;
  std::map<std::string, double> values;
  for (const auto& figure : report["figures"]) {
    ++figures[figure["section"]];
    EXPECT_TRUE(figure["value"].is_number()) << figure;
    EXPECT_TRUE(!figure.contains("floor") || figure["floor"] > 0) << figure;
    values[figure["name"]] = figure["value"];
  }
  for (const char* const section :
       {"library", "access", "service", "tokens", "listings", "scale", "replicas", "storm"}) {
    EXPECT_GT(figures[section], 1) << section;
  }
  for (const char* const side : {"without tokens", "a token each"}) {
    EXPECT_GT(values[absl::StrCat("software P-256, ", side, ": server CPU per certificate")], 0);
  }
  EXPECT_GT(values["100 policies, user in 10 000 groups: a decision"], 0);
  const std::string promotion = "promotion, software P-256: ";
  EXPECT_EQ(values[promotion + "promotions made"], 2);
  EXPECT_GT(values[promotion + "longest"], 0);
  for (const char* const figure :
       {"refused with PRIMARY_CHANGED", "requests that failed", "p99 of the second around one"}) {
    EXPECT_TRUE(values.contains(promotion + figure)) << figure;
  }
  EXPECT_EQ(values["promotions that failed"], 0) << "beside listings";

  for (const char* const cell : {"SQLite", "PostgreSQL, 1 replica", "PostgreSQL, 3 replicas",
                                 "PostgreSQL and standby, 1 replica"}) {
    EXPECT_GT(values[cell + std::string(": rate at saturation")], 0) << cell;
  }
  const std::string replica = "PostgreSQL and standby, 1 replica: ";
  for (const char* const figure :
       {"PostgreSQL's CPU per certificate", "the standby's CPU per certificate",
        "write-ahead log per certificate", "records in a transaction that writes",
        "median of one request at a time"}) {
    EXPECT_GT(values[replica + figure], 0) << figure;
  }

  EXPECT_FALSE(report["charts"].empty());
  for (const auto& chart : report["charts"]) {
    const std::string file = "charts/" + chart["name"].get<std::string>() + ".svg";
    EXPECT_THAT(ReadFileOrDie(files_.File(file)), testing::StartsWith("<svg "));
  }
}

TEST_F(BenchTest, PrintsATableOfTheChosenPartsAndLeavesNothingBehind) {
  const CommandResult run = Bench({"storm", "--quick"});
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(run.output, HasSubstr("\nstorm  "));
  EXPECT_THAT(run.output, testing::Not(HasSubstr("\nlibrary  ")));
  EXPECT_THAT(run.output, HasSubstr("\ntargets  "));
  EXPECT_TRUE(std::filesystem::is_empty(files_.path()));
}

TEST_F(BenchTest, LeavesNothingBehindWhenItIsInterrupted) {
  const TemporaryDirectory log;
  const std::string report = log.Write("report", "of the last run");
  BackgroundProcess run(
      {"tools/bench/hourglass-bench", "library", "--scratch", files_.path(), "--output", report},
      log.File("log"));
  ASSERT_TRUE(run.WaitForLog("library")) << run.Log();
  EXPECT_FALSE(std::filesystem::is_empty(files_.path()));
  EXPECT_EQ(run.Stop(SIGTERM), 128 + SIGTERM);
  EXPECT_TRUE(std::filesystem::is_empty(files_.path()));
  EXPECT_EQ(ReadFileOrDie(report), "of the last run");
  EXPECT_FALSE(std::filesystem::exists(report + ".new"));
}

TEST_F(BenchTest, LeavesNoDatabaseBehindWhenItIsInterrupted) {
  const TemporaryDirectory log;
  BackgroundProcess run({"tools/bench/hourglass-bench", "replicas", "--scratch", files_.path()},
                        log.File("log"));
  // The server runs by then.
  ASSERT_TRUE(run.WaitForLog("SQLite", 120)) << run.Log();
  EXPECT_EQ(run.Stop(SIGTERM), 128 + SIGTERM) << run.Log();
  EXPECT_TRUE(std::filesystem::is_empty(files_.path()));
}

TEST_F(BenchTest, SaysWhatIsWrongWithItsArguments) {
  const CommandResult part = Bench({"strom"});
  EXPECT_EQ(part.exit_code, 2);
  EXPECT_THAT(part.output, HasSubstr("strom"));
  const CommandResult program = Bench({"storm", "--quick", "--hourglassd", "/nowhere/hourglassd"});
  EXPECT_EQ(program.exit_code, 1);
  EXPECT_THAT(program.output, HasSubstr("--hourglassd: there is no program /nowhere/hourglassd"));
  const CommandResult output = Bench({"storm", "--quick", "--output", "/nowhere/report"});
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.output, HasSubstr("--output: cannot write /nowhere/report"));
}

}  // namespace
}  // namespace hourglass
