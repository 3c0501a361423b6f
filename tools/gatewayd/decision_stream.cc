#include "tools/gatewayd/decision_stream.h"

#include <grpcpp/grpcpp.h>

#include <optional>

#include "hourglass/v1/decisions.grpc.pb.h"

namespace hourglass::gatewayd {

absl::StatusOr<std::unique_ptr<DecisionStream>> WatchDecisions(
    const client::ConnectionConfig& config, const std::string& tenant, const std::string& cursor) {
  // What the call is made with, for as long as it lives.
  struct Means {
    std::optional<v1::DecisionService::Stub> stub;
    v1::WatchDecisionsRequest request;
  };
  const auto means = std::make_shared<Means>();
  means->request.set_tenant_id(tenant);
  means->request.set_cursor(cursor);
  return DecisionStream::Open(
      config, agent::Keep::kEach,
      [means](const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
              grpc::ClientReadReactor<v1::DecisionEvent>* reactor) {
        means->stub.emplace(channel);
        means->stub->async()->WatchDecisions(context, &means->request, reactor);
      });
}

}  // namespace hourglass::gatewayd
