// How the service bears its load: what waits, in what batches it is served, and where time goes.
#ifndef HOURGLASS_ISSUANCE_PIPELINE_ISSUANCE_LOAD_H_
#define HOURGLASS_ISSUANCE_PIPELINE_ISSUANCE_LOAD_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "issuance/base/histogram.h"

namespace hourglass::issuance {

// Since this object was made. Safe to use from several threads.
class IssuanceLoad {
 public:
  // Of a batch. kIntent and kRelease are the two writes of the journal.
  enum class Step { kCheck, kVerdict, kTemplate, kIntent, kSign, kRelease };
  static constexpr std::array<absl::string_view, 6> kStepNames = {"check",  "verdict", "template",
                                                                  "intent", "sign",    "release"};

  // Measures a batch on its way through the pipeline.
  class Batch {
   public:
    // `load` may be null: measures nothing.
    Batch(IssuanceLoad* load, std::size_t tasks);
    // The step that began when the last one ended is done.
    void Done(Step step);

   private:
    IssuanceLoad* const load_;
    std::chrono::steady_clock::time_point step_began_;
  };

  const Histogram& batch_sizes() const { return batch_sizes_; }
  // Seconds, for all of a batch together.
  const Histogram& seconds(Step step) const { return seconds_[static_cast<std::size_t>(step)]; }

  // Requests that are admitted and that no lane has taken up.
  void SetWaiting(std::size_t requests) { waiting_.store(requests, std::memory_order_relaxed); }
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  struct Seconds : Histogram {
    Seconds();
  };

  Histogram batch_sizes_{{1, 2, 4, 8, 16, 32, 64}};
  std::array<Seconds, kStepNames.size()> seconds_;
  std::atomic<std::size_t> waiting_ = 0;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_PIPELINE_ISSUANCE_LOAD_H_
