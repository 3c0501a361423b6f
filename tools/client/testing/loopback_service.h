// A gRPC server over mutual TLS on this machine, and the credentials and configuration for a client
// of it: what tests of the programs stand their scripted services on.
#ifndef HOURGLASS_TOOLS_CLIENT_TESTING_LOOPBACK_SERVICE_H_
#define HOURGLASS_TOOLS_CLIENT_TESTING_LOOPBACK_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/support/temporary_directory.h"

namespace hourglass::client {

// Ends the process where anything cannot be made: a test cannot go on without it.
class LoopbackService {
 public:
  // Makes two authorities, one for the server and one for clients, with the openssl program, and
  // serves `services`, which must outlive this object, on a free port.
  explicit LoopbackService(const std::vector<grpc::Service*>& services);
  ~LoopbackService();

  // What lies here goes with this object.
  const TemporaryDirectory& directory() const { return directory_; }
  // A configuration that is in order; and one of the same with other lines: `server_name:
  // other.example`.
  const std::string& config_file() const { return config_file_; }
  std::string WriteConfig(absl::string_view name, absl::string_view more_lines) const;

  // Ends the service; its port answers no more.
  void Stop();

 private:
  void MakeCredentials();

  TemporaryDirectory directory_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::string config_file_;
};

// A self-signed root, and a leaf for the key of a PKCS#10 request (DER), made by the openssl
// program; DER.
class OpensslAuthority {
 public:
  explicit OpensslAuthority(absl::string_view common_name);

  const std::string& root() const { return root_; }
  // Valid for a day. Ends the process if the request is not one.
  std::string Issue(absl::string_view pkcs10, absl::string_view common_name) const;

 private:
  TemporaryDirectory directory_;
  std::string root_;
};

}  // namespace hourglass::client

#endif  // HOURGLASS_TOOLS_CLIENT_TESTING_LOOPBACK_SERVICE_H_
