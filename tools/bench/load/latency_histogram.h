// Latencies counted in buckets that grow with what they hold, so that one in a thousand is known as
// well as the median.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_LATENCY_HISTOGRAM_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_LATENCY_HISTOGRAM_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hourglass::bench {

// Counts each latency in one of 128 buckets a power of two of nanoseconds: what it gives back is at
// most 1/128 too high, and never too low. Not for several threads at once.
class LatencyHistogram {
 public:
  LatencyHistogram();

  // Less than nothing counts as nothing, more than an hour as an hour.
  void Add(std::chrono::nanoseconds latency);
  void Add(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  // The smallest latency that at least this share of all, 0 to 1, does not exceed; 0 where there
  // are none.
  std::chrono::nanoseconds Quantile(double share) const;
  double QuantileMicroseconds(double share) const {
    return std::chrono::duration<double, std::micro>(Quantile(share)).count();
  }

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t highest_ = 0;  // nanoseconds
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_LATENCY_HISTOGRAM_H_
