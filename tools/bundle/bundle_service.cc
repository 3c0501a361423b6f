#include "tools/bundle/bundle_service.h"

#include <grpcpp/grpcpp.h>

#include <functional>
#include <optional>
#include <utility>

#include "hsm/base/status_macros.h"
#include "tools/agent/call.h"

namespace hourglass::bundle {
namespace {

using Done = std::function<void(grpc::Status)>;

}  // namespace

absl::StatusOr<v1::TrustBundle> GetBundle(const client::ConnectionConfig& config,
                                          const std::string& tenant, agent::Waiter& waiter) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  v1::GetTrustBundleRequest request;
  request.set_tenant_id(tenant);
  v1::TrustBundle bundle;
  v1::TrustBundleService::Stub stub(connection.channel());
  const grpc::Status status = agent::CallUnlessStopped(
      waiter, connection.timeout(), [&](grpc::ClientContext* context, Done done) {
        stub.async()->GetTrustBundle(context, &request, &bundle, std::move(done));
      });
  if (!status.ok()) return client::CallError(status, connection.server());
  return bundle;
}

absl::Status Acknowledge(const client::ConnectionConfig& config, const std::string& tenant,
                         std::uint64_t version, const std::string& document_sha256,
                         agent::Waiter& waiter) {
  ASSIGN_OR_RETURN(const client::Connection connection, client::Connection::Open(config));
  v1::AcknowledgeTrustBundleRequest request;
  request.set_tenant_id(tenant);
  request.set_version(version);
  request.set_document_sha256(document_sha256);
  v1::RelyingParty relying_party;
  v1::TrustBundleService::Stub stub(connection.channel());
  const grpc::Status status = agent::CallUnlessStopped(
      waiter, connection.timeout(), [&](grpc::ClientContext* context, Done done) {
        stub.async()->AcknowledgeTrustBundle(context, &request, &relying_party, std::move(done));
      });
  return status.ok() ? absl::OkStatus() : client::CallError(status, connection.server());
}

absl::StatusOr<std::unique_ptr<BundleStream>> WatchBundles(const client::ConnectionConfig& config,
                                                           const std::string& tenant) {
  // What the call is made with, for as long as it lives.
  struct Means {
    std::optional<v1::TrustBundleService::Stub> stub;
    v1::WatchTrustBundleRequest request;
  };
  const auto means = std::make_shared<Means>();
  means->request.set_tenant_id(tenant);
  return BundleStream::Open(
      config, agent::Keep::kNewest,
      [means](const std::shared_ptr<grpc::Channel>& channel, grpc::ClientContext* context,
              grpc::ClientReadReactor<v1::TrustBundle>* reactor) {
        means->stub.emplace(channel);
        means->stub->async()->WatchTrustBundle(context, &means->request, reactor);
      });
}

}  // namespace hourglass::bundle
