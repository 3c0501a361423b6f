#include "issuance/edge/edge.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "hsm/base/status_macros.h"
#include "issuance/edge/file_limit.h"
#include "issuance/edge/listening_sockets.h"
#include "issuance/edge/service_notice.h"
#include "issuance/edge/transport/made_contexts.h"

namespace hourglass::issuance {
namespace {

// Where no service manager says another.
constexpr std::chrono::milliseconds kWatchInterval = std::chrono::seconds(20);

// A quarter each is for those who have not proved who they are.
ConnectionLimits LimitsOf(const EdgeOptions& options) {
  ConnectionLimits limits;
  limits.in_all = ConnectionsWithin(FileLimit(), options.connections);
  limits.per_source = std::min(limits.in_all, options.connections_per_source);
  limits.strangers = std::max(8, limits.in_all / 4);
  limits.strangers_per_source = std::max(4, limits.per_source / 4);
  return limits;
}

}  // namespace

absl::StatusOr<std::unique_ptr<grpc::Server>> Edge::Start(
    const EdgeOptions& options, grpc::ServerBuilder& builder,
    const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  ASSIGN_OR_RETURN(ListeningSockets listening, ListenOn(options.listen));
  port_ = listening.port;
  to_grpc_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials);
  // Covers the HTTP/2 settings after the handshake too.
  builder.AddChannelArgument(
      GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
      static_cast<int>(std::chrono::milliseconds(Acceptor::kHandshakeTimeout).count()));
  table_.emplace(LimitsOf(options));
  gate_.emplace(callers_, &*table_, open_calls_, log_);
  std::unique_ptr<grpc::Server> server;
  {
    const MadeContexts made;
    server = builder.BuildAndStart();
    if (server == nullptr) {
      return absl::UnavailableError("gRPC does not start, its log says why");
    }
    RETURN_IF_ERROR(gate_->Guard(made.contexts()));
  }
  Acceptor::Options to;
  to.hand_over = [this](Descriptor socket) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = socket.Release();
    to_grpc_->HandleNewConnection(&connection);
  };
  to.check = [this](const AdmittedPeer& peer) { return callers_->CheckAgain(peer); };
  to.each_second = [this] {
    if (revocations_ != nullptr) revocations_->Refresh(clock_->Now(), *log_);
  };
  ASSIGN_OR_RETURN(acceptor_, Acceptor::Start(std::move(listening), std::move(to), &*table_, log_));
  const auto interval = WatchdogInterval();
  watchdog_.emplace(
      &*acceptor_,
      interval.has_value() ? std::chrono::floor<std::chrono::milliseconds>(*interval / 3)
                           : kWatchInterval,
      [] { NotifyServiceManager("WATCHDOG=1"); }, log_);
  return server;
}

void Edge::Stop() {
  watchdog_.reset();
  if (acceptor_ != nullptr) acceptor_->Stop();
}

}  // namespace hourglass::issuance
