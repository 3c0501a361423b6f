// hourglass-bench end to end, in its quick form: that every part works, not how fast anything is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {
namespace {

using testing::HasSubstr;

class BenchTest : public testing::Test {
 protected:
  CommandResult Bench(std::vector<std::string> words) {
    words.insert(words.begin(), {"tools/bench/hourglass-bench", "--scratch", files_.path()});
    return RunCommand(words);
  }

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
  for (const char* const section : {"library", "service", "listings", "scale", "storm"}) {
    EXPECT_GT(figures[section], 1) << section;
  }
  const std::string promotion = "promotion, software P-256: ";
  EXPECT_EQ(values[promotion + "promotions made"], 2);
  EXPECT_GT(values[promotion + "longest"], 0);
  for (const char* const figure :
       {"refused with PRIMARY_CHANGED", "requests that failed", "p99 of the second around one"}) {
    EXPECT_TRUE(values.contains(promotion + figure)) << figure;
  }
  EXPECT_EQ(values["promotions that failed"], 0) << "beside listings";

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
