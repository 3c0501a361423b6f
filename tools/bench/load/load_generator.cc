#include "tools/bench/load/load_generator.h"

#include <thread>
#include <utility>
#include <vector>

#include "hsm/base/status_macros.h"
#include "tools/bench/load/broker_connection.h"
#include "tools/bench/load/stream_load.h"
#include "tools/bench/load/unary_load.h"

namespace hourglass::bench {

LoadResult LoadGenerator::Measure(std::chrono::nanoseconds duration) {
  Begin();
  std::this_thread::sleep_for(duration);
  return End();
}

absl::StatusOr<std::unique_ptr<LoadGenerator>> StartLoad(const LoadTarget& target,
                                                         const PreparedRequests& pool,
                                                         const LoadOptions& options) {
  return StartLoad(std::vector<LoadTarget>{target}, pool, options);
}

absl::StatusOr<std::unique_ptr<LoadGenerator>> StartLoad(const std::vector<LoadTarget>& targets,
                                                         const PreparedRequests& pool,
                                                         const LoadOptions& options) {
  const bool closed = std::holds_alternative<ClosedLoop>(options.arrivals);
  if (!closed && options.transport != LoadTransport::kUnary) {
    return absl::InvalidArgumentError("an open loop makes unary calls on kept connections only");
  }
  if (options.asks_again && options.transport == LoadTransport::kStream) {
    return absl::InvalidArgumentError("streams do not ask again");
  }
  if (options.each_once && (options.asks_again || options.transport == LoadTransport::kStream)) {
    return absl::InvalidArgumentError("what is sent once is neither asked again nor in streams");
  }
  if (options.transport == LoadTransport::kConnectionEach) {
    return std::make_unique<UnaryLoad>(targets, pool, options,
                                       std::vector<std::unique_ptr<BrokerConnection>>());
  }
  ASSIGN_OR_RETURN(auto connections, ConnectBrokers(targets, options.connections));
  if (options.transport == LoadTransport::kStream) {
    return std::make_unique<StreamLoad>(pool, options, std::move(connections));
  }
  return std::make_unique<UnaryLoad>(targets, pool, options, std::move(connections));
}

}  // namespace hourglass::bench
