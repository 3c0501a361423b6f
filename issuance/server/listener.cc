#include "issuance/server/listener.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"
#include "issuance/edge/transport/transport_limits.h"

namespace hourglass::issuance {
namespace {

// Calls on a connection that is an hour old (below) are cut off after this time: a stream must not
// outlive it for ever.
constexpr int kConnectionGraceMilliseconds = 5 * 60 * 1000;

// Whoever stays connected proves who it is once an hour; its certificate's period, and whether it
// is refused, are looked at all the time (CallerDirectory).
constexpr int kMaxConnectionAgeMilliseconds = 60 * 60 * 1000;

// How long clients have to hang up by themselves before they are cut off.
constexpr std::chrono::milliseconds kHangUp(100);

}  // namespace

Listener::Listener(const KnownCallers* callers, ServedServices* calls, const Clock* clock,
                   const EventLog* log)
    : calls_(calls),
      edge_(callers->directory(), callers->revocations(), calls->open_calls(), clock, log) {}

Listener::~Listener() { Stop(std::chrono::milliseconds(0)); }

absl::StatusOr<std::unique_ptr<Listener>> Listener::Start(const Config& config, TlsMaterial tls,
                                                          const KnownCallers* callers,
                                                          ServedServices* calls, const Clock* clock,
                                                          const EventLog* log) {
  std::unique_ptr<Listener> listener = absl::WrapUnique(new Listener(callers, calls, clock, log));
  RETURN_IF_ERROR(listener->Listen(config, std::move(tls), *log));
  return listener;
}

absl::Status Listener::Listen(const Config& config, TlsMaterial tls, const EventLog& log) {
  grpc::SslServerCredentialsOptions options(
      GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = std::move(tls.trusted_roots);
  options.pem_key_cert_pairs.push_back({std::move(tls.private_key), std::move(tls.certificate)});
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  LimitTransport(builder);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxConnectionAgeMilliseconds);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kConnectionGraceMilliseconds);
  calls_->RegisterWith(builder);
  const EdgeOptions edge = {config.listen, config.limits.connections,
                            config.limits.connections_per_source};
  ASSIGN_OR_RETURN(server_, edge_.Start(edge, builder, grpc::SslServerCredentials(options)));
  server_->GetHealthCheckService()->SetServingStatus(true);
  address_ = absl::StrCat(config.listen.substr(0, config.listen.rfind(':')), ":", edge_.port());
  memory_guard_.emplace(edge_.port(), log);
  return absl::OkStatus();
}

void Listener::Stop(std::chrono::milliseconds grace) {
  edge_.Stop();
  if (server_ == nullptr) return;
  server_->GetHealthCheckService()->SetServingStatus(false);
  // gRPC's own graceful shutdown waits for clients to hang up, and idle ones take seconds to
  // notice. What matters is that every call is answered; after that, connections are closed.
  calls_->StopTakingCalls(grace);
  server_->Shutdown(std::chrono::system_clock::now() + kHangUp);
  server_->Wait();
  server_.reset();
  memory_guard_.reset();
}

}  // namespace hourglass::issuance
