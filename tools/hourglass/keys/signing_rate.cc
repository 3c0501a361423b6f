#include "tools/hourglass/keys/signing_rate.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "hsm/key/signature.h"

namespace hourglass::cli {
namespace {

using Clock = std::chrono::steady_clock;

// One in so many signatures is kept and verified.
constexpr std::uint64_t kSampled = 64;

struct Sample {
  std::string message;
  std::string signature;
};

// What one thread measured; read by others only after it was joined.
struct Measured {
  absl::Status status;
  std::vector<std::chrono::nanoseconds> latencies;
  std::vector<Sample> samples;
  Clock::time_point ended;
};

class Measurement {
 public:
  Measurement(hsm::SigningKey& key, int threads, std::chrono::milliseconds length)
      : key_(key), length_(length), ready_(threads), measured_(static_cast<std::size_t>(threads)) {}

  void Run() {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < measured_.size(); ++i) {
      threads.emplace_back([this, i] { Sign(i, measured_[i]); });
    }
    for (std::thread& thread : threads) thread.join();
  }

  std::vector<Measured>& measured() { return measured_; }
  Clock::time_point started() const { return started_; }

 private:
  void Sign(std::size_t thread, Measured& measured) {
    measured.status = SignOnce(thread, 0, measured).status();
    measured.latencies.clear();
    ready_.arrive_and_wait();
    std::call_once(start_, [this] { started_ = Clock::now(); });
    const Clock::time_point until = started_ + length_;
    std::uint64_t count = 0;
    measured.ended = started_;
    while (measured.status.ok() && measured.ended < until && !failed_) {
      const absl::StatusOr<Clock::time_point> ended = SignOnce(thread, ++count, measured);
      if (ended.ok()) measured.ended = *ended;
      measured.status = ended.status();
    }
    if (!measured.status.ok()) failed_ = true;
  }

  absl::StatusOr<Clock::time_point> SignOnce(std::size_t thread, std::uint64_t count,
                                             Measured& measured) {
    std::string message = absl::StrCat("hourglass keys bench ", thread, " ", count);
    const Clock::time_point before = Clock::now();
    ASSIGN_OR_RETURN(std::string signature, key_.Sign(message));
    const Clock::time_point after = Clock::now();
    measured.latencies.push_back(after - before);
    if (count % kSampled == 0)
      measured.samples.push_back({std::move(message), std::move(signature)});
    return after;
  }

  hsm::SigningKey& key_;
  const std::chrono::milliseconds length_;
  std::latch ready_;
  std::once_flag start_;
  Clock::time_point started_;
  std::atomic<bool> failed_ = false;
  std::vector<Measured> measured_;
};

std::chrono::nanoseconds Quantile(const std::vector<std::chrono::nanoseconds>& sorted,
                                  std::uint64_t thousandths) {
  if (sorted.empty()) return std::chrono::nanoseconds(0);
  const std::size_t rank = (sorted.size() * thousandths + 999) / 1000;
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

}  // namespace

absl::StatusOr<SigningRate> MeasureSigningRate(hsm::SigningKey& key, int threads,
                                               std::chrono::milliseconds length) {
  ASSIGN_OR_RETURN(const hsm::VerifyingKey public_key,
                   hsm::VerifyingKey::FromPublicKey(key.public_key()));
  Measurement measurement(key, threads, length);
  measurement.Run();
  SigningRate rate;
  rate.threads = threads;
  std::vector<std::chrono::nanoseconds> latencies;
  Clock::time_point ended = measurement.started();
  for (const Measured& measured : measurement.measured()) {
    RETURN_IF_ERROR(measured.status);
    for (const Sample& sample : measured.samples) {
      RETURN_IF_ERROR(public_key.Verify(sample.message, sample.signature));
    }
    rate.verified += measured.samples.size();
    latencies.insert(latencies.end(), measured.latencies.begin(), measured.latencies.end());
    ended = std::max(ended, measured.ended);
  }
  std::sort(latencies.begin(), latencies.end());
  rate.signatures = latencies.size();
  const std::chrono::duration<double> took = ended - measurement.started();
  if (took.count() > 0) rate.per_second = static_cast<double>(rate.signatures) / took.count();
  rate.p500 = Quantile(latencies, 500);
  rate.p900 = Quantile(latencies, 900);
  rate.p990 = Quantile(latencies, 990);
  rate.p999 = Quantile(latencies, 999);
  return rate;
}

const SigningRate& Knee(absl::Span<const SigningRate> rates) {
  const auto by_rate = [](const SigningRate& one, const SigningRate& other) {
    return one.per_second < other.per_second;
  };
  const double best = std::max_element(rates.begin(), rates.end(), by_rate)->per_second;
  const SigningRate* knee = nullptr;
  for (const SigningRate& rate : rates) {
    if (rate.per_second < 0.95 * best) continue;
    if (knee == nullptr || rate.threads < knee->threads) knee = &rate;
  }
  return *knee;
}

std::uint64_t DevicesServed(double per_second) {
  return static_cast<std::uint64_t>(per_second * 3600 * 0.8);
}

}  // namespace hourglass::cli
