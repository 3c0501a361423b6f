#include "tools/bench/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "nlohmann/json.hpp"

namespace hourglass::bench {
namespace {

using testing::HasSubstr;
using testing::Not;

Setting Quiet() {
  return {.date = "2026-11-20T16:00:00Z",
          .processor = "Abacus",
          .cores = 2,
          .load = 0.1,
          .kernel = "Linux 6.1"};
}

Figure WithFloor(double value) {
  return {.section = "library",
          .name = "P-256 leaf, P-256 root",
          .value = value,
          .unit = "us",
          .floor = 50,
          .floor_is = "verify and sign",
          .target = TargetId::kLibraryEc};
}

std::string VerdictOn(const Report& report, TargetId id) {
  for (const Verdict& verdict : report.Verdicts()) {
    if (verdict.target.id == id) return verdict.words;
  }
  return "missing";
}

TEST(TargetsTest, EachHasANameOfItsOwnAndABound) {
  std::set<std::string> names;
  std::set<TargetId> ids;
  for (const Target& target : Targets()) {
    names.insert(target.name);
    ids.insert(target.id);
    EXPECT_EQ(TargetOf(target.id).name, target.name);
  }
  EXPECT_EQ(names.size(), Targets().size());
  EXPECT_EQ(ids.size(), Targets().size());
}

TEST(TargetsTest, ABoundIsIncluded) {
  EXPECT_TRUE(TargetOf(TargetId::kLibraryEc).MetBy(1.25));
  EXPECT_FALSE(TargetOf(TargetId::kLibraryEc).MetBy(1.26));
  EXPECT_TRUE(TargetOf(TargetId::kServiceSofthsm).MetBy(0.6));
  EXPECT_FALSE(TargetOf(TargetId::kServiceSofthsm).MetBy(0.59));
}

TEST(FigureTest, IsJudgedByItsRatioItsValueOrWhatItSays) {
  Figure figure = WithFloor(60);
  EXPECT_EQ(figure.Judged(), 1.2);
  EXPECT_EQ(figure.Met(), true);
  figure.judged = 1.5;
  EXPECT_EQ(figure.Judged(), 1.5);
  EXPECT_EQ(figure.Met(), false);
  const Figure plain{.section = "service", .name = "memory", .value = 80, .unit = "MB"};
  EXPECT_EQ(plain.Judged(), 80);
  EXPECT_EQ(plain.Met(), std::nullopt);
}

TEST(ReportTest, TheWorstFigureOfATargetCounts) {
  Report report(Quiet());
  EXPECT_EQ(VerdictOn(report, TargetId::kLibraryEc), "not measured");
  report.Add(WithFloor(60));
  EXPECT_EQ(VerdictOn(report, TargetId::kLibraryEc), "met");
  report.Add(WithFloor(70));
  report.Add(WithFloor(55));
  EXPECT_EQ(VerdictOn(report, TargetId::kLibraryEc), "missed");
  Figure rate{.section = "service", .name = "a", .value = 0.7, .unit = "x"};
  rate.target = TargetId::kServiceSofthsm;
  report.Add(rate);
  EXPECT_EQ(VerdictOn(report, TargetId::kServiceSofthsm), "met");
  rate.value = 0.5;
  report.Add(rate);
  EXPECT_EQ(VerdictOn(report, TargetId::kServiceSofthsm), "missed");
}

TEST(ReportTest, TheTableHasEachFigureBesideItsFloorAndAllTargetsLast) {
  Report report(Quiet());
  report.Add(WithFloor(70));
  report.Add({.section = "storm", .name = "peak", .value = 1234.5, .unit = "requests/s"});
  EXPECT_THAT(
      report.Table(),
      testing::StartsWith(
          "Abacus, 2 cores, load 0.10, Linux 6.1, optimised build, 2026-11-20T16:00:00Z\n"
          "\n"
          "library                   value    floor  the floor is     ratio  target\n"
          "P-256 leaf, P-256 root  70.0 us  50.0 us  verify and sign   1.40  ≤ 1.25  missed\n"
          "\n"
          "storm            value  floor  the floor is  ratio  target\n"
          "peak   1234 requests/s\n"
          "\n"
          "targets  "));
  EXPECT_THAT(report.Table(), testing::EndsWith("\n\n0 met, 1 missed, 20 not measured\n"));
  for (const Target& target : Targets()) EXPECT_THAT(report.Table(), HasSubstr(target.figure));
}

TEST(ReportTest, SaysWhyItsFiguresAreNotToBeTrusted) {
  Setting setting = Quiet();
  EXPECT_TRUE(setting.Warnings().empty());
  setting.optimised = false;
  setting.load = 1.5;
  Report report(setting);
  report.Fail("service", absl::InternalError("3 requests failed"));
  const std::string table = report.Table();
  EXPECT_THAT(table, HasSubstr("warning: this is not an optimised build"));
  EXPECT_THAT(table, HasSubstr("warning: the machine was busy"));
  EXPECT_THAT(table, HasSubstr("FAILED: service: 3 requests failed"));
  const auto json = nlohmann::json::parse(report.Json());
  EXPECT_EQ(json["failures"][0], "service: 3 requests failed");
  EXPECT_EQ(json["machine"]["warnings"].size(), 2u);
}

TEST(ReportTest, JudgesNothingInAQuickRun) {
  Setting setting = Quiet();
  setting.quick = true;
  Report report(setting);
  report.Add(WithFloor(70));
  EXPECT_EQ(VerdictOn(report, TargetId::kLibraryEc), "not judged");
  EXPECT_THAT(report.Table(), Not(HasSubstr("missed\n")));
  const auto json = nlohmann::json::parse(report.Json());
  EXPECT_EQ(json["quick"], true);
  EXPECT_FALSE(json["figures"][0].contains("met"));
}

TEST(ReportTest, TheJsonHasTheSameFiguresAndTargets) {
  Report report(Quiet());
  report.Add(WithFloor(60));
  report.Add({.section = "storm", .name = "peak", .value = 44, .unit = "requests/s"});
  const auto json = nlohmann::json::parse(report.Json());
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["date"], "2026-11-20T16:00:00Z");
  EXPECT_EQ(json["machine"]["cores"], 2);
  EXPECT_EQ(json["figures"][0],
            nlohmann::json::parse(R"({"section": "library", "name": "P-256 leaf, P-256 root",
              "value": 60.0, "unit": "us", "floor": 50.0, "floor_is": "verify and sign",
              "ratio": 1.2, "target": "library_ec", "judged": 1.2, "met": true})"));
  EXPECT_EQ(json["figures"][1], nlohmann::json::parse(R"({"section": "storm", "name": "peak",
              "value": 44.0, "unit": "requests/s"})"));
  EXPECT_EQ(json["targets"].size(), Targets().size());
  EXPECT_EQ(json["targets"][0],
            nlohmann::json::parse(R"({"name": "library_ec", "at_most": 1.25, "judged": 1.2,
              "figure": "library, P-256 leaf and root: CPU ÷ floor", "verdict": "met"})"));
  EXPECT_EQ(json["targets"][3]["at_least"], 0.6);
  EXPECT_EQ(json["targets"][3]["verdict"], "not measured");
}

TEST(ReportTest, TheJsonHasWhatTheChartsShow) {
  Report report(Quiet());
  report.Add(Chart{.name = "storm",
                   .title = "Storm",
                   .x = {"minutes"},
                   .y = {"requests/s"},
                   .series = {{"ours", {0, 1}, {2, 3}}}});
  report.Add(Chart{.name = "budget",
                   .title = "Budget",
                   .x = {"us"},
                   .series = {{"sign", {}, {13}}},
                   .bars = {"service"}});
  const auto json = nlohmann::json::parse(report.Json());
  EXPECT_EQ(json["charts"][0],
            nlohmann::json::parse(R"({"name": "storm", "title": "Storm", "x": "minutes",
              "y": "requests/s", "series": [{"name": "ours", "x": [0.0, 1.0], "y": [2.0, 3.0]}]})"));
  EXPECT_EQ(json["charts"][1],
            nlohmann::json::parse(R"({"name": "budget", "title": "Budget", "x": "us",
              "bars": ["service"], "series": [{"name": "sign", "y": [13.0]}]})"));
}

TEST(ReportTest, MarkdownHasATableForEachSection) {
  Report report(Quiet());
  report.Add(WithFloor(60));
  const std::string markdown = report.Markdown();
  EXPECT_THAT(markdown, HasSubstr("| library | value | floor | the floor is | ratio | target |  |\n"
                                  "|---|--:|--:|---|--:|--:|---|\n"
                                  "| P-256 leaf, P-256 root | 60.0 us | 50.0 us | verify and sign "
                                  "| 1.20 | ≤ 1.25 | met |"));
  EXPECT_THAT(markdown, HasSubstr("| targets | figure | target |  |\n|---|--:|--:|---|\n"));
}

TEST(ReportTest, MarkdownShowsTheChartsAndTheNumbersOfBars) {
  Report report(Quiet());
  report.Add(Chart{.name = "budget",
                   .title = "Budget",
                   .alternative = "Mostly the floor.",
                   .x = {"us"},
                   .series = {{"verify", {}, {40, 41}}, {"sign", {}, {13, 14}}},
                   .bars = {"floor", "service"}});
  EXPECT_THAT(report.Markdown(),
              testing::EndsWith("\n"
                                "![Budget. Mostly the floor.](images/budget.svg)\n"
                                "\n"
                                "| us | floor | service |\n"
                                "|---|--:|--:|\n"
                                "| verify | 40.0 | 41.0 |\n"
                                "| sign | 13.0 | 14.0 |\n"));
}

TEST(SettingTest, ObservesThisMachine) {
  const Setting setting = ObserveSetting(true);
  EXPECT_TRUE(setting.quick);
  EXPECT_GE(setting.cores, 1);
  EXPECT_FALSE(setting.processor.empty());
  EXPECT_THAT(setting.kernel, testing::StartsWith("Linux "));
  EXPECT_THAT(setting.date, testing::MatchesRegex("....-..-..T..:..:..Z"));
}

}  // namespace
}  // namespace hourglass::bench
