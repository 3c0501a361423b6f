#include <algorithm>
#include <cinttypes>
#include <cmath>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/key_type.h"
#include "tools/client/table.h"
#include "tools/hourglass/keys.h"
#include "tools/hourglass/keys/signing_rate.h"

namespace hourglass::cli {
namespace {

using client::Json;

double Microseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

std::string TimeText(std::chrono::nanoseconds time) {
  const double microseconds = Microseconds(time);
  if (microseconds < 1000) return absl::StrFormat("%.0f us", microseconds);
  return absl::StrFormat("%.2f ms", microseconds / 1000);
}

std::string RateText(double per_second) {
  return per_second < 100 ? absl::StrFormat("%.1f", per_second)
                          : absl::StrFormat("%.0f", per_second);
}

Json RateAsJson(const SigningRate& rate) {
  return {
      {"threads", rate.threads},           {"signatures", rate.signatures},
      {"verified", rate.verified},         {"per_second", std::round(rate.per_second * 10) / 10},
      {"p50_us", Microseconds(rate.p500)}, {"p90_us", Microseconds(rate.p900)},
      {"p99_us", Microseconds(rate.p990)}, {"p999_us", Microseconds(rate.p999)}};
}

std::string Table(const std::vector<SigningRate>& rates) {
  std::vector<std::vector<std::string>> rows;
  for (const SigningRate& rate : rates) {
    rows.push_back({absl::StrCat(rate.threads), RateText(rate.per_second), TimeText(rate.p500),
                    TimeText(rate.p900), TimeText(rate.p990), TimeText(rate.p999)});
  }
  return client::FormatTable({"THREADS", "SIGNATURES/S", "P50", "P90", "P99", "P99.9"}, rows);
}

Answer AnswerOf(const LocalKey& key, absl::string_view type, bool in_process,
                const std::vector<SigningRate>& rates) {
  const SigningRate& knee = Knee(rates);
  const std::uint64_t devices = DevicesServed(knee.per_second);
  std::uint64_t signatures = 0;
  std::uint64_t verified = 0;
  Answer answer;
  answer.json = {{"key_uri", key.canonical},
                 {"key_type", std::string(type)},
                 {"in_process", in_process},
                 {"rates", Json::array()}};
  for (const SigningRate& rate : rates) {
    signatures += rate.signatures;
    verified += rate.verified;
    answer.json["rates"].push_back(RateAsJson(rate));
  }
  answer.json["knee"] = {{"threads", knee.threads}, {"devices_served", devices}};
  answer.text = absl::StrFormat(
      "%s, %s, %s\n%sKnee: %s, the fewest within 5 %% of the best.\n"
      "Devices at one certificate an hour: %" PRIu64
      " (%s/s x 3600 s x 0.8: a fifth of the key's time stays free).\n"
      "Of %" PRIu64 " signatures, %" PRIu64
      " were verified, one in 64 and the first of each thread; all were right.\n",
      key.canonical, std::string(type),
      in_process ? "in this process" : "as the service would use it", Table(rates),
      knee.threads == 1 ? "1 thread" : absl::StrCat(knee.threads, " threads"), devices,
      RateText(knee.per_second), signatures, verified);
  return answer;
}

}  // namespace

absl::StatusOr<Answer> BenchKey(const KeyOptions& options) {
  ASSIGN_OR_RETURN(const LocalKey key, ParseLocalKey(options.key));
  CustodyOptions custody = options.custody;
  custody.sessions = *std::max_element(options.threads.begin(), options.threads.end());
  ASSIGN_OR_RETURN(const std::unique_ptr<hsm::KeyStore> store, OpenLocalStore(key, custody));
  ASSIGN_OR_RETURN(const std::unique_ptr<hsm::SigningKey> signing_key, store->Open(options.key));
  std::vector<SigningRate> rates;
  for (const int threads : options.threads) {
    ASSIGN_OR_RETURN(
        const SigningRate rate,
        MeasureSigningRate(*signing_key, threads, std::chrono::seconds(options.seconds)));
    rates.push_back(rate);
  }
  return AnswerOf(key, hsm::KeyTypeName(signing_key->type()), custody.in_process, rates);
}

}  // namespace hourglass::cli
