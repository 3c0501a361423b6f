// What a load generator counts.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_LOAD_TALLY_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_LOAD_TALLY_H_

#include <grpcpp/support/status.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "tools/bench/load/latency_histogram.h"

namespace hourglass::bench {

using LoadClock = std::chrono::steady_clock;

// An answer that was kept to be looked at.
struct SampledAnswer {
  std::size_t request = 0;          // in the pool
  std::string response;             // an IssueCertificateResponse, serialized
  LoadClock::time_point sent = {};  // for the first time, where it was asked again
};

// Of one certificate.
struct TimedLatency {
  LoadClock::time_point intended;  // when it was to be asked for
  std::chrono::nanoseconds latency;
};

struct LoadResult {
  double seconds = 0;
  std::uint64_t certificates = 0;
  // Everything else that came back, by ErrorReason, or by status code where there is none.
  std::map<std::string, std::uint64_t> errors;
  // Requests whose first answer is not counted, since they were asked again
  // (LoadOptions::asks_again). The second answer is: as a certificate or as an error.
  std::uint64_t asked_again = 0;
  LatencyHistogram latencies;  // of the certificates
  // How late the generator itself was in sending them; part of the latencies.
  LatencyHistogram delays;
  std::vector<SampledAnswer> samples;
  // All latencies, in the order in which the certificates came; empty without
  // LoadOptions::keeps_times.
  std::vector<TimedLatency> times;

  double CertificatesPerSecond() const {
    return seconds == 0 ? 0 : static_cast<double>(certificates) / seconds;
  }
  // Those of `times` that were to be asked for from `from` on, and before `until`.
  LatencyHistogram LatenciesBetween(LoadClock::time_point from, LoadClock::time_point until) const;
  // `KEY_UNAVAILABLE 3, UNAVAILABLE 1`; empty where there were none.
  std::string ErrorText() const;
};

// The reason by which LoadResult counts this status, which is not OK.
std::string ReasonText(const grpc::Status& status);

// Counts what belongs to a window of time. Safe to call from several threads.
class LoadTally {
 public:
  // What makes a request one of the window: when its answer came (closed loop), or when it was to
  // be sent (open loop), whenever its answer comes.
  enum class Membership { kByAnswer, kByIntention };

  // Whether LoadResult::times is filled.
  enum class Times { kDropped, kKept };

  explicit LoadTally(Membership membership, Times times = Times::kDropped)
      : membership_(membership), times_(times) {}

  void Begin();
  // Ends the window now, and with kByIntention waits for the answers of all that belong to it.
  LoadResult End();
  // Certificates of the window until now.
  std::uint64_t Certificates();

  // With kByIntention only: no request that was to be sent before `time` is still to be Sent.
  void SentUntil(LoadClock::time_point time);
  // Of every request, once. `intended` is when it was to be sent.
  void Sent(LoadClock::time_point intended);
  // Of every request that was Sent, one of these, once.
  // `answer` is called at once, or not at all: where this one is kept to be looked at, in the same
  // window that it is counted in.
  void Issued(LoadClock::time_point intended, LoadClock::time_point sent,
              absl::FunctionRef<SampledAnswer()> answer);
  void Failed(LoadClock::time_point intended, const std::string& reason);

  // Of a request that was Sent and is sent once more; it is still under way.
  void AskedAgain(LoadClock::time_point intended);

  // The load, or a part of it, has ended by itself: an error of this and of every later window.
  void Broken(const std::string& reason);

 private:
  // Also notes that the answer came. With mutex_ held.
  bool Counts(LoadClock::time_point intended, LoadClock::time_point now);
  bool InWindow(LoadClock::time_point time) const { return begin_ <= time && time <= end_; }

  const Membership membership_;
  const Times times_;
  std::mutex mutex_;
  std::condition_variable all_answered_;
  LoadClock::time_point begin_ = LoadClock::time_point::max();
  LoadClock::time_point end_ = LoadClock::time_point::max();
  LoadClock::time_point sent_until_ = LoadClock::time_point::max();
  std::int64_t awaited_ = 0;  // of the window
  LoadResult result_;
  std::map<std::string, std::uint64_t> broken_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_LOAD_TALLY_H_
