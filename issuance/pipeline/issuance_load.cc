#include "issuance/pipeline/issuance_load.h"

namespace hourglass::issuance {

using std::chrono::steady_clock;

IssuanceLoad::Batch::Batch(IssuanceLoad* load, std::size_t tasks)
    : load_(load), step_began_(steady_clock::now()) {
  if (load_ != nullptr) load_->batch_sizes_.Observe(static_cast<double>(tasks));
}

void IssuanceLoad::Batch::Done(Step step) {
  if (load_ == nullptr) return;
  const steady_clock::time_point now = steady_clock::now();
  const std::chrono::duration<double> took = now - step_began_;
  load_->seconds_[static_cast<std::size_t>(step)].Observe(took.count());
  step_began_ = now;
}

// From what one software signature takes to what no caller waits for.
IssuanceLoad::Seconds::Seconds()
    : Histogram({0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                 1, 2.5, 5, 10}) {}

}  // namespace hourglass::issuance
