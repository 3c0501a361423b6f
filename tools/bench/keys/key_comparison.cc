#include "tools/bench/keys/key_comparison.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

namespace hourglass {
namespace {

using Clock = std::chrono::steady_clock;

void CheckOrDie(const absl::StatusOr<std::string>& signature) {
  if (signature.ok()) return;
  std::fprintf(stderr, "%s\n", signature.status().ToString().c_str());
  std::exit(1);
}

void SignOrDie(hsm::SigningKey& key, const std::string& message) { CheckOrDie(key.Sign(message)); }

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Signatures a second of so many callers, each of which waits for its signatures, a group of
// `group` at once, before it asks for the next. The message is as long as a certificate's
// to-be-signed octets.
double RateOf(hsm::SigningKey& key, int threads, int group, std::chrono::milliseconds duration) {
  std::atomic<bool> stop = false;
  std::atomic<std::int64_t> signatures = 0;
  std::vector<std::thread> callers;
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back([&] {
      const std::string message(500, 'm');
      const std::vector<absl::string_view> messages(static_cast<std::size_t>(group), message);
      std::int64_t own = 0;
      for (; !stop; own += group) {
        if (group == 1) {
          SignOrDie(key, message);
        } else {
          for (const auto& signature : key.SignAll(messages)) CheckOrDie(signature);
        }
      }
      signatures += own;
    });
  }
  std::this_thread::sleep_for(duration);
  stop = true;
  for (std::thread& caller : callers) caller.join();
  return static_cast<double>(signatures) /
         std::chrono::duration<double>(Clock::now() - start).count();
}

double MedianMicroseconds(hsm::SigningKey& key, std::chrono::milliseconds duration) {
  const std::string message(500, 'm');
  std::vector<double> latencies;
  const Clock::time_point start = Clock::now();
  for (Clock::time_point last = start; last - start < duration;) {
    SignOrDie(key, message);
    const Clock::time_point now = Clock::now();
    latencies.push_back(std::chrono::duration<double, std::micro>(now - last).count());
    last = now;
  }
  return Median(latencies);
}

double RateOf(const std::vector<RawSigner*>& signers, std::chrono::milliseconds duration) {
  for (RawSigner* signer : signers) signer->Begin(duration);
  double sum = 0;
  for (RawSigner* signer : signers) sum += signer->End().per_second;
  return sum;
}

// The number of callers whose median is highest, and that median.
std::pair<int, double> Best(const std::map<int, std::vector<double>>& rates) {
  std::pair<int, double> best = {0, 0};
  for (const auto& [threads, samples] : rates) {
    const double median = Median(samples);
    if (median > best.second) best = {threads, median};
  }
  return best;
}

Figure RatioOf(const std::string& what, double target,
               const std::map<int, std::vector<double>>& ours,
               const std::map<int, std::vector<double>>& compared) {
  Figure figure;
  figure.what = what;
  figure.unit = "ratio";
  figure.target = target;
  std::tie(figure.threads, figure.ours) = Best(ours);
  figure.compared = Best(compared).second;
  figure.value = figure.ours / figure.compared;
  return figure;
}

}  // namespace

Figure CompareRates(const std::string& what, double target, hsm::SigningKey& key,
                    const std::vector<int>& threads, const std::vector<RawSigner*>& raw,
                    const Effort& effort, int group) {
  std::map<int, std::vector<double>> ours, compared;
  for (int round = 0; round < effort.rounds; ++round) {
    compared[1].push_back(RateOf({raw[0]}, effort.duration));
    if (raw.size() > 1) {
      compared[static_cast<int>(raw.size())].push_back(RateOf(raw, effort.duration));
    }
    for (const int count : threads) {
      ours[count].push_back(RateOf(key, count, group, effort.duration));
    }
  }
  return RatioOf(what, target, ours, compared);
}

Figure CompareKeys(const std::string& what, double target, hsm::SigningKey& key,
                   hsm::SigningKey& other, const std::vector<int>& threads, const Effort& effort) {
  std::map<int, std::vector<double>> ours, compared;
  for (int round = 0; round < effort.rounds; ++round) {
    for (const int count : threads) {
      compared[count].push_back(RateOf(other, count, 1, effort.duration));
      ours[count].push_back(RateOf(key, count, 1, effort.duration));
    }
  }
  return RatioOf(what, target, ours, compared);
}

Figure CompareLatencies(const std::string& what, double target, hsm::SigningKey& key,
                        RawSigner& raw, const Effort& effort) {
  std::vector<double> ours, compared, added;
  for (int round = 0; round < effort.rounds; ++round) {
    raw.Begin(effort.duration);
    compared.push_back(raw.End().median_microseconds);
    ours.push_back(MedianMicroseconds(key, effort.duration));
    added.push_back(ours.back() - compared.back());
  }
  Figure figure;
  figure.what = what;
  figure.unit = "us";
  figure.target = target;
  figure.ours = Median(ours);
  figure.compared = Median(compared);
  figure.value = Median(added);
  return figure;
}

}  // namespace hourglass
