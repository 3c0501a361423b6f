#include "issuance/base/histogram.h"

#include <algorithm>
#include <utility>

namespace hourglass::issuance {

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      counts_(std::make_unique<std::atomic<std::uint64_t>[]>(bounds_.size() + 1)) {}

void Histogram::Observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(1,
                                                                       std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Totals Histogram::Read() const {
  Totals totals;
  for (std::size_t i = 0; i < bounds_.size(); ++i) {
    totals.count += counts_[i].load(std::memory_order_relaxed);
    totals.up_to.push_back(totals.count);
  }
  totals.count += counts_[bounds_.size()].load(std::memory_order_relaxed);
  totals.sum = sum_.load(std::memory_order_relaxed);
  return totals;
}

}  // namespace hourglass::issuance
