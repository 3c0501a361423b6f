#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "tools/bench/report/report.h"

namespace hourglass::bench {
namespace {

// Keeps the order in which the members are said.
using Json = nlohmann::ordered_json;

// Raised when a member changes its name or meaning.
constexpr int kVersion = 1;

Json OfSetting(const Setting& setting) {
  return {{"processor", setting.processor}, {"cores", setting.cores},
          {"load", setting.load},           {"kernel", setting.kernel},
          {"optimised", setting.optimised}, {"warnings", setting.Warnings()}};
}

Json OfFigure(const Figure& figure, bool quick) {
  Json json = {{"section", figure.section},
               {"name", figure.name},
               {"value", figure.value},
               {"unit", figure.unit}};
  if (figure.floor.has_value()) {
    json["floor"] = *figure.floor;
    json["floor_is"] = figure.floor_is;
    json["ratio"] = figure.value / *figure.floor;
  }
  if (figure.target.has_value()) {
    json["target"] = TargetOf(*figure.target).name;
    json["judged"] = figure.Judged();
    if (!quick) json["met"] = *figure.Met();
  }
  return json;
}

Json OfVerdict(const Verdict& verdict) {
  Json json = {{"name", verdict.target.name},
               {"figure", verdict.target.figure},
               {verdict.target.at_most ? "at_most" : "at_least", verdict.target.bound}};
  if (verdict.judged.has_value()) json["judged"] = *verdict.judged;
  json["verdict"] = verdict.words;
  return json;
}

Json OfChart(const Chart& chart) {
  Json json = {{"name", chart.name}, {"title", chart.title}, {"x", chart.x.label}};
  if (chart.bars.empty()) {
    json["y"] = chart.y.label;
  } else {
    json["bars"] = chart.bars;
  }
  json["series"] = Json::array();
  for (const Series& series : chart.series) {
    Json points = {{"name", series.name}};
    if (chart.bars.empty()) points["x"] = series.x;
    points["y"] = series.y;
    json["series"].push_back(std::move(points));
  }
  return json;
}

}  // namespace

std::string Report::Json() const {
  bench::Json json = {{"version", kVersion},
                      {"date", setting_.date},
                      {"quick", setting_.quick},
                      {"machine", OfSetting(setting_)},
                      {"figures", bench::Json::array()},
                      {"targets", bench::Json::array()},
                      {"charts", bench::Json::array()},
                      {"failures", failures_}};
  for (const Figure& figure : figures_) json["figures"].push_back(OfFigure(figure, setting_.quick));
  for (const Verdict& verdict : Verdicts()) json["targets"].push_back(OfVerdict(verdict));
  for (const Chart& chart : charts_) json["charts"].push_back(OfChart(chart));
  // A message may carry octets that are no UTF-8.
  return absl::StrCat(json.dump(2, ' ', false, bench::Json::error_handler_t::replace), "\n");
}

}  // namespace hourglass::bench
