// TLS connections to a service, each its own, and the thread that waits for all of them.
#ifndef HOURGLASS_TOOLS_BENCH_LOAD_BROKER_CONNECTION_H_
#define HOURGLASS_TOOLS_BENCH_LOAD_BROKER_CONNECTION_H_

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/load/load_generator.h"

namespace hourglass::bench {

// One TLS connection, shared with nobody, made when it is first used.
struct BrokerConnection {
  explicit BrokerConnection(const LoadTarget& target);

  std::shared_ptr<grpc::Channel> channel;
  grpc::GenericStub stub;
};

// So many to each target, neighbours to different ones. Waits until each is connected. Errors:
// UNAVAILABLE.
absl::StatusOr<std::vector<std::unique_ptr<BrokerConnection>>> ConnectBrokers(
    const std::vector<LoadTarget>& targets, int connections);

// What a completion queue's tag points to.
class Operation {
 public:
  virtual ~Operation() = default;
  virtual void Done(bool ok) = 0;
};

// A completion queue and the one thread that serves it.
class OperationThread {
 public:
  explicit OperationThread(int niceness);
  // Nothing may be begun any more; what was begun is waited for.
  ~OperationThread();
  OperationThread(const OperationThread&) = delete;
  OperationThread& operator=(const OperationThread&) = delete;

  grpc::CompletionQueue& queue() { return queue_; }

 private:
  grpc::CompletionQueue queue_;
  std::thread thread_;
};

// Of the calling thread alone, as Linux has it.
void BeNice(int niceness);

}  // namespace hourglass::bench

#endif  // HOURGLASS_TOOLS_BENCH_LOAD_BROKER_CONNECTION_H_
