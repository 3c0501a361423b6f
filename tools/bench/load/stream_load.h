// Load by streams of IssueCertificates.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_STREAM_LOAD_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_STREAM_LOAD_H_

#include <atomic>
#include <memory>
#include <vector>

#include "tools/bench/load/broker_connection.h"
#include "tools/bench/load/load_generator.h"

namespace hourglass::bench {

// What a stream may have under way (issuance.proto).
inline constexpr int kMaxUnderWayInStream = 256;

// A closed loop over one stream a connection.
class StreamLoad final : public LoadGenerator {
 public:
  StreamLoad(const PreparedRequests& pool, const LoadOptions& options,
             std::vector<std::unique_ptr<BrokerConnection>> connections);
  ~StreamLoad() override;

 private:
  class Stream;

  const PreparedRequests& pool_;
  const std::vector<std::unique_ptr<BrokerConnection>> connections_;
  std::atomic<bool> stopping_ = false;
  std::unique_ptr<OperationThread> operations_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_STREAM_LOAD_H_
