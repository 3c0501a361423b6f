#include "tools/bench/storm.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "issuance/pipeline/renewal.h"

namespace hourglass::bench {
namespace {

using issuance::Intent;
using issuance::Timestamp;

constexpr std::chrono::hours kLife(1);
constexpr std::chrono::hours kDuration(3);
constexpr std::chrono::seconds kFine(10);
constexpr std::chrono::seconds kCoarse(60);

constexpr Timestamp kNineInTheMorning =
    std::chrono::sys_days(std::chrono::year{2026} / 3 / 2) + std::chrono::hours(9);

// As the pipeline fills it for a request that is answered at `now`.
Intent IntentAt(Timestamp now, int device) {
  Intent intent;
  intent.tenant_id = "contoso";
  intent.user_id = absl::StrCat("user-", device);
  intent.device_id = absl::StrCat("device-", device);
  intent.not_before = std::chrono::floor<std::chrono::seconds>(now) - std::chrono::minutes(5);
  intent.not_after = std::chrono::floor<std::chrono::seconds>(now) + kLife;
  intent.intended_at = now;
  return intent;
}

// Where the service's own rule is on average, the same for everybody.
Timestamp WithoutJitter(Timestamp now, const Intent& intent) {
  return now +
         std::chrono::duration_cast<std::chrono::microseconds>(intent.not_after - now) * 5 / 8;
}

struct Line {
  std::string name;  // of the rule
  RenewalRule rule;
  std::optional<TargetId> target;
};

Figure FigureOf(const Line& line, const Arrivals& arrivals) {
  return {.section = "storm",
          .name = absl::StrFormat("peak after the first hour, %d s at a time, %s",
                                  arrivals.bucket.count(), line.name),
          .value = arrivals.Peak(std::chrono::hours(1) / arrivals.bucket),
          .unit = "requests/s",
          .floor = arrivals.Mean(std::chrono::hours(1) / arrivals.bucket),
          .floor_is = "the mean",
          .target = line.target};
}

Chart EmptyChart(int devices) {
  return {.name = "storm",
          .title = absl::StrCat(devices / 1000, " 000 devices that start within a minute"),
          .alternative = "Requests a second over three hours, ten seconds at a time.",
          .x = {"hours since the first device started"},
          .y = {"requests/s", true}};
}

Series SeriesOf(const std::string& name, const Arrivals& arrivals) {
  Series series{name};
  for (std::size_t i = 0; i < arrivals.counts.size(); ++i) {
    series.x.push_back(static_cast<double>(i) * static_cast<double>(arrivals.bucket.count()) /
                       3600);
    series.y.push_back(arrivals.PerSecond(i));
  }
  return series;
}

}  // namespace

double Arrivals::Mean(std::size_t first) const {
  double sum = 0;
  for (std::size_t i = first; i < counts.size(); ++i) sum += PerSecond(i);
  return sum / static_cast<double>(counts.size() - first);
}

double Arrivals::Peak(std::size_t first) const {
  double peak = 0;
  for (std::size_t i = first; i < counts.size(); ++i) peak = std::max(peak, PerSecond(i));
  return peak;
}

Arrivals Simulate(int devices, std::chrono::seconds duration, std::chrono::seconds bucket,
                  const RenewalRule& rule) {
  Arrivals arrivals{bucket, std::vector<double>(duration / bucket)};
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> within_a_minute(0, 60'000'000 - 1);
  for (int device = 0; device < devices; ++device) {
    Timestamp now = kNineInTheMorning + std::chrono::microseconds(within_a_minute(random));
    while (now < kNineInTheMorning + duration) {
      arrivals.counts[(now - kNineInTheMorning) / bucket] += 1;
      now = rule(now, IntentAt(now, device));
    }
  }
  return arrivals;
}

absl::Status MeasureStorm(const Options& options, Report& report) {
  const int devices = options.quick ? 5'000 : 100'000;
  const Line lines[] = {{"renew_after", issuance::RenewAfter, TargetId::kStormPeak},
                        {"without jitter", WithoutJitter, std::nullopt}};
  Chart chart = EmptyChart(devices);
  for (const Line& line : lines) {
    const Arrivals fine = Simulate(devices, kDuration, kFine, line.rule);
    report.Add(FigureOf(line, fine));
    report.Add(FigureOf(line, Simulate(devices, kDuration, kCoarse, line.rule)));
    const std::size_t first_hour = std::chrono::hours(1) / kFine;
    absl::StrAppendFormat(&chart.alternative,
                          " With %s at most %.0f after the first hour, on average %.0f.", line.name,
                          fine.Peak(first_hour), fine.Mean(first_hour));
    chart.series.push_back(SeriesOf(line.name, fine));
  }
  report.Add(std::move(chart));
  return absl::OkStatus();
}

}  // namespace hourglass::bench
