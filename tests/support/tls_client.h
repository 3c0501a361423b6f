// A TLS client that does what gRPC's does not: no HTTP/2, sessions used again, handshakes left
// half.
#ifndef HOURGLASS_TESTS_SUPPORT_TLS_CLIENT_H_
#define HOURGLASS_TESTS_SUPPORT_TLS_CLIENT_H_

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "hsm/base/openssl.h"
#include "issuance/edge/descriptor.h"
#include "tests/support/mutual_tls.h"

namespace hourglass {

using SslSessionPtr = OpensslPtr<SSL_SESSION, SSL_SESSION_free>;

// One connection. Ends the process where its own files or calls fail.
class TlsClient {
 public:
  // `version`: TLS1_2_VERSION or TLS1_3_VERSION. `credential` null: without a certificate.
  TlsClient(const std::string& trusted_roots_file, const TlsCredential* credential,
            int version = TLS1_3_VERSION);
  ~TlsClient();

  // Connects, offering `session` where it is not null, and waits for the first octet of the server,
  // 30 seconds at most. "" where it came: the server let us in; else what OpenSSL says, which has
  // the name of the alert.
  std::string Enter(const std::string& host_port, SSL_SESSION* session = nullptr);

  // Says what an HTTP/2 client says first, after which gRPC keeps the connection.
  void BeginHttp2();

  // After Enter.
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  int tickets() const { return tickets_; }
  SslSessionPtr Session() const { return SslSessionPtr(SSL_get1_session(ssl_.get())); }
  const issuance::Descriptor& socket() const { return socket_; }

 private:
  OpensslPtr<SSL_CTX, SSL_CTX_free> context_;
  OpensslPtr<SSL, SSL_free> ssl_;
  issuance::Descriptor socket_;
  int tickets_ = 0;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_TLS_CLIENT_H_
