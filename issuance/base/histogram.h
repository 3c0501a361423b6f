// Counts of values by size, as Prometheus has them.
#ifndef HOURGLASS_ISSUANCE_BASE_HISTOGRAM_H_
#define HOURGLASS_ISSUANCE_BASE_HISTOGRAM_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace hourglass::issuance {

// Safe to use from several threads, without locks.
class Histogram {
 public:
  // Upper bounds of the buckets, rising; there is one more for all above.
  explicit Histogram(std::vector<double> bounds);
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  void Observe(double value);

  struct Totals {
    // Values up to this bound, and not only those above the bound before.
    std::vector<std::uint64_t> up_to;
    std::uint64_t count = 0;
    double sum = 0;
  };
  // While others observe, the parts may be of slightly different times.
  Totals Read() const;

  const std::vector<double>& bounds() const { return bounds_; }

 private:
  const std::vector<double> bounds_;
  // One a bound, and one for all above.
  const std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_BASE_HISTOGRAM_H_
