// The way to the service: mutual TLS, a deadline for every call, and errors with their typed
// detail.
#ifndef HOURGLASS_TOOLS_CLIENT_CONNECTION_H_
#define HOURGLASS_TOOLS_CLIENT_CONNECTION_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "hourglass/v1/error.pb.h"

namespace hourglass::client {

struct ConnectionConfig {
  std::string server;         // `host:port`
  std::string certificate;    // PEM file: this client's certificate, leaf first
  std::string private_key;    // PEM file
  std::string trusted_roots;  // PEM file: what the service's certificate must chain to
  std::string server_name;    // the name that it must carry; empty: the host of `server`
  absl::Duration timeout = absl::Seconds(10);  // for one call
};

// Where calls go. Safe to use from several threads.
class Connection {
 public:
  // Reads the three files; opens no connection yet. Errors: CONFIGURATION_INVALID with field
  // `tls.…` where a file cannot be read or does not hold PEM, where the key is encrypted, or where
  // it is not that of the certificate; and those of CheckOwnCertificate.
  static absl::StatusOr<Connection> Open(const ConnectionConfig& config);

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  const std::string& server() const { return server_; }
  absl::Duration timeout() const { return timeout_; }

 private:
  Connection() = default;

  std::shared_ptr<grpc::Channel> channel_;
  std::string server_;
  absl::Duration timeout_;
};

// `status` of a call as this program's error: code, message, reason and field of FromGrpcStatus,
// and what DetailOf gives back. Where gRPC itself could not reach `server`, the message says so.
absl::Status CallError(const grpc::Status& status, absl::string_view server);

// The typed detail that CallError kept; empty for errors of other origin.
v1::ErrorDetail DetailOf(const absl::Status& status);

// Calls `method` of a generated stub once and waits at most `timeout` for the answer:
// Call(connection, &v1::RootService::Stub::ListRoots, request, connection.timeout()). Errors: those
// of CallError.
template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(const Connection& connection,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request, absl::Duration timeout) {
  Stub stub(connection.channel());
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  Response response;
  const grpc::Status status = (stub.*method)(&context, request, &response);
  if (!status.ok()) return CallError(status, connection.server());
  return response;
}

template <typename Stub, typename Request, typename Response>
absl::StatusOr<Response> Call(const Connection& connection,
                              grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                           Response*),
                              const Request& request) {
  return Call(connection, method, request, connection.timeout());
}

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_CONNECTION_H_
