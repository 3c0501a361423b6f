#include "tools/bench/storm.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "issuance/renewal.h"

namespace hourglass::bench {
namespace {

using issuance::Intent;
using issuance::Timestamp;

constexpr std::chrono::hours kLife(1);
constexpr std::chrono::hours kDuration(3);
constexpr std::chrono::seconds kBucket(10);
constexpr std::size_t kFirstHour = std::chrono::hours(1) / kBucket;

constexpr Timestamp kNineInTheMorning =
    std::chrono::sys_days(std::chrono::year{2026} / 3 / 2) + std::chrono::hours(9);

// As the pipeline fills it for a request that is answered at `now`.
Intent IntentAt(Timestamp now, int device, std::mt19937_64& random) {
  Intent intent;
  intent.tenant_id = "contoso";
  intent.user_id = absl::StrCat("user-", device);
  intent.device_id = absl::StrCat("device-", device);
  for (int i = 0; i < 16; ++i) intent.serial_number.push_back(static_cast<char>(random()));
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

void AddFigures(const std::string& rule, const std::vector<double>& arrivals, bool judged,
                Report& report) {
  Figure figure{.section = "storm",
                .name = absl::StrCat("peak ÷ mean after the first hour, buckets of 10 s, ", rule),
                .value = PeakOverMean(arrivals, kFirstHour),
                .unit = "x"};
  if (judged) figure.target = TargetId::kStormPeak;
  report.Add(std::move(figure));
}

Chart ChartOf(const std::vector<double>& with, const std::vector<double>& without) {
  Chart chart{.name = "storm",
              .title = "100 000 devices that start within a minute",
              .alternative = "Requests a second over three hours.",
              .x = {"minutes"},
              .y = {"requests/s", true}};
  for (const auto& [name, arrivals] :
       {std::pair{"renew_after", &with}, std::pair{"without jitter", &without}}) {
    Series series{name, {}, {}};
    for (std::size_t i = 0; i < arrivals->size(); ++i) {
      series.x.push_back(static_cast<double>(i) * kBucket.count() / 60);
      series.y.push_back((*arrivals)[i] / kBucket.count());
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

}  // namespace

std::vector<double> Arrivals(int devices, std::chrono::seconds duration,
                             std::chrono::seconds bucket, const RenewalRule& rule) {
  std::vector<double> arrivals(duration / bucket);
  std::mt19937_64 random(1);
  std::uniform_int_distribution<std::int64_t> within_a_minute(0, 60'000'000 - 1);
  for (int device = 0; device < devices; ++device) {
    Timestamp now = kNineInTheMorning + std::chrono::microseconds(within_a_minute(random));
    while (now < kNineInTheMorning + duration) {
      arrivals[(now - kNineInTheMorning) / bucket] += 1;
      now = rule(now, IntentAt(now, device, random));
    }
  }
  return arrivals;
}

double PeakOverMean(const std::vector<double>& arrivals, std::size_t first) {
  double peak = 0;
  double sum = 0;
  for (std::size_t i = first; i < arrivals.size(); ++i) {
    peak = std::max(peak, arrivals[i]);
    sum += arrivals[i];
  }
  return peak * static_cast<double>(arrivals.size() - first) / sum;
}

absl::Status MeasureStorm(const Options& options, Report& report) {
  const int devices = options.quick ? 5'000 : 100'000;
  const auto with = Arrivals(devices, kDuration, kBucket, issuance::RenewAfter);
  const auto without = Arrivals(devices, kDuration, kBucket, WithoutJitter);
  AddFigures("renew_after", with, true, report);
  AddFigures("without jitter", without, false, report);
  report.Add(ChartOf(with, without));
  return absl::OkStatus();
}

}  // namespace hourglass::bench
