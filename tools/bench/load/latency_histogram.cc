#include "tools/bench/load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hourglass::bench {
namespace {

constexpr int kBits = 7;
constexpr std::uint64_t kPerPower = std::uint64_t{1} << kBits;
constexpr std::uint64_t kHighest = 3'600'000'000'000;

// Below kPerPower each value has its own bucket; above, the highest kBits + 1 bits tell.
std::size_t BucketOf(std::uint64_t value) {
  if (value < kPerPower) return value;
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - kBits;
  return static_cast<std::size_t>(shift) * kPerPower + (value >> shift);
}

std::uint64_t HighestIn(std::size_t bucket) {
  if (bucket < 2 * kPerPower) return bucket;
  const std::size_t shift = bucket / kPerPower - 1;
  return ((bucket - shift * kPerPower + 1) << shift) - 1;
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(BucketOf(kHighest) + 1) {}

void LatencyHistogram::Add(std::chrono::nanoseconds latency) {
  const auto value = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(latency.count(), 0, static_cast<std::int64_t>(kHighest)));
  ++buckets_[BucketOf(value)];
  ++count_;
  highest_ = std::max(highest_, value);
}

void LatencyHistogram::Add(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  highest_ = std::max(highest_, other.highest_);
}

std::chrono::nanoseconds LatencyHistogram::Quantile(double share) const {
  const auto wanted = std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_))));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (count_ > 0 && seen >= wanted) {
      return std::chrono::nanoseconds(std::min(HighestIn(i), highest_));
    }
  }
  return std::chrono::nanoseconds(highest_);
}

}  // namespace hourglass::bench
