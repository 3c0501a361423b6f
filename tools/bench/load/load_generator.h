// Asks a service for certificates, as brokers do, and spends as little CPU time on it as it can:
// one thread for all connections, requests serialized beforehand, answers looked at by sample.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_LOAD_GENERATOR_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_LOAD_GENERATOR_H_

#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/load/load_tally.h"
#include "tools/bench/load/prepared_requests.h"

namespace hourglass::bench {

// Where the service is, and as whom it is asked.
struct LoadTarget {
  std::string address;  // host:port
  // PEM.
  std::string trusted_roots;
  std::string certificate_chain;
  std::string private_key;
};

// So many requests are under way at any time: an answer is followed by the next request.
struct ClosedLoop {
  int outstanding = 1;
};

// Requests are sent when they are due, however many are under way. Latencies are counted from the
// time that each was due, so that a service that stops answering cannot hide those that waited.
struct OpenLoop {
  double per_second = 1;
  bool poisson = true;  // else one exactly every 1 / per_second
};

enum class LoadTransport {
  kUnary,           // IssueCertificate
  kStream,          // IssueCertificates; closed loop only
  kConnectionEach,  // IssueCertificate on a TLS connection of its own; closed loop only
};

struct LoadOptions {
  LoadTransport transport = LoadTransport::kUnary;
  std::variant<ClosedLoop, OpenLoop> arrivals = {};
  int connections = 2;  // TLS connections to each target
  int niceness = 0;     // of its threads, 0 to 19
  // A request that is refused with PRIMARY_CHANGED is sent once more, at once, under a new request
  // id, as hourglass-broker does; its latency has both in it. Not over streams.
  bool asks_again = false;
  bool keeps_times = false;  // LoadResult::times
  // Every request of the pool is sent once: what they bring is good for one answer. When none is
  // left, that is the error kPoolUsedUp. Neither over streams nor where one is asked again.
  bool each_once = false;
};

// Load from its making until it goes. What is under way then is waited for, at most kLoadDeadline.
class LoadGenerator {
 public:
  virtual ~LoadGenerator() = default;
  LoadGenerator(const LoadGenerator&) = delete;
  LoadGenerator& operator=(const LoadGenerator&) = delete;

  // Counts from now on. With an open loop, waits at End for what was due before it.
  void Begin() { tally_.Begin(); }
  LoadResult End() { return tally_.End(); }
  // Of what is counted, until now.
  std::uint64_t Certificates() { return tally_.Certificates(); }
  // Begin, so long, End.
  LoadResult Measure(std::chrono::nanoseconds duration);

 protected:
  LoadGenerator(LoadTally::Membership membership, const LoadOptions& options)
      : tally_(membership,
               options.keeps_times ? LoadTally::Times::kKept : LoadTally::Times::kDropped) {}

  LoadTally tally_;
};

// What an open loop counts as an error that is its own: too many answers have not come yet for it
// to send another request.
inline constexpr char kTooManyUnderWay[] = "TOO_MANY_UNDER_WAY";

// What a load of requests that are sent once counts when it has no more.
inline constexpr char kPoolUsedUp[] = "POOL_USED_UP";

// The refusal that LoadOptions::asks_again is about.
inline constexpr char kPrimaryChanged[] = "PRIMARY_CHANGED";

// A request without an answer for so long is an error, DEADLINE_EXCEEDED.
inline constexpr std::chrono::seconds kLoadDeadline(20);

// Connects and begins. `pool` must outlive it. Errors: UNAVAILABLE where there is no connection
// within kLoadDeadline; INVALID_ARGUMENT for an open loop where only a closed one is possible, for
// streams that are to ask again, and for each_once where it is not possible.
absl::StatusOr<std::unique_ptr<LoadGenerator>> StartLoad(const LoadTarget& target,
                                                         const PreparedRequests& pool,
                                                         const LoadOptions& options);
// The same of several services that share what they know, at least one: requests go to each of them
// in turn, and streams to all.
absl::StatusOr<std::unique_ptr<LoadGenerator>> StartLoad(const std::vector<LoadTarget>& targets,
                                                         const PreparedRequests& pool,
                                                         const LoadOptions& options);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_LOAD_GENERATOR_H_
