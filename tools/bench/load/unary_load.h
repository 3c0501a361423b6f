// Load by calls of IssueCertificate.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_UNARY_LOAD_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_UNARY_LOAD_H_

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tools/bench/load/broker_connection.h"
#include "tools/bench/load/load_generator.h"

namespace hourglass::bench {

class UnaryLoad final : public LoadGenerator {
 public:
  // `connections` may be empty for LoadTransport::kConnectionEach only.
  UnaryLoad(std::vector<LoadTarget> targets, const PreparedRequests& pool,
            const LoadOptions& options, std::vector<std::unique_ptr<BrokerConnection>> connections);
  ~UnaryLoad() override;

 private:
  class Call;

  // The requests of an open loop, each when it is due.
  void SendWhenDue(const OpenLoop& loop);
  // A call that nobody uses, or null where too many are under way.
  Call* FreeCall();
  // The next request of the pool, or none where all were sent that may be.
  void Send(Call& call, LoadClock::time_point intended);
  // A request id that was not used before.
  std::string NextId();
  void Ended(Call& call);
  void Free(Call& call);

  const std::vector<LoadTarget> targets_;
  const PreparedRequests& pool_;
  const LoadOptions options_;
  const std::vector<std::unique_ptr<BrokerConnection>> connections_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;  // for all that follows
  std::condition_variable idle_;
  std::vector<std::unique_ptr<Call>> calls_;
  std::vector<Call*> free_;
  std::size_t under_way_ = 0;
  std::uint64_t sent_ = 0;
  RequestIds ids_;

  std::unique_ptr<OperationThread> operations_;
  std::thread sender_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_UNARY_LOAD_H_
