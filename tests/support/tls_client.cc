#include "tests/support/tls_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tests/support/loopback.h"

namespace hourglass {
namespace {

void DieUnless(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "%s: %s\n", what, DrainOpensslErrors().c_str());
  std::abort();
}

// "h2", as ALPN has it.
constexpr unsigned char kHttp2[] = {2, 'h', '2'};

// The client's preface and an empty SETTINGS frame (RFC 9113 section 3.4).
constexpr char kHttp2Preface[] =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    "\0\0\0\4\0\0\0\0\0";

}  // namespace

TlsClient::TlsClient(const std::string& trusted_roots_file, const TlsCredential* credential,
                     int version)
    : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, version);
  SSL_CTX_set_max_proto_version(context, version);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  DieUnless(SSL_CTX_load_verify_locations(context, trusted_roots_file.c_str(), nullptr) == 1,
            "trusted roots");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_sess_set_new_cb(context, [](SSL* ssl, SSL_SESSION*) {
    ++static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->tickets_;
    return 0;
  });
  DieUnless(SSL_CTX_set_alpn_protos(context, kHttp2, sizeof(kHttp2)) == 0, "ALPN");
  if (credential == nullptr) return;
  DieUnless(SSL_CTX_use_certificate_chain_file(context, credential->certificate_file.c_str()) == 1,
            "certificate");
  DieUnless(SSL_CTX_use_PrivateKey_file(context, credential->private_key_file.c_str(),
                                        SSL_FILETYPE_PEM) == 1,
            "private key");
}

TlsClient::~TlsClient() = default;

std::string TlsClient::Enter(const std::string& host_port, SSL_SESSION* session) {
  socket_ = ConnectTo(host_port);
  if (!socket_.valid()) return absl::StrCat("connect: ", std::strerror(errno));
  const timeval patience = {30, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ssl_.reset(SSL_new(context_.get()));
  DieUnless(ssl_ != nullptr && SSL_set_fd(ssl_.get(), socket_.get()) == 1, "SSL_new");
  if (session != nullptr) DieUnless(SSL_set_session(ssl_.get(), session) == 1, "session");
  errno = 0;
  char octet;
  if (SSL_connect(ssl_.get()) == 1 && SSL_read(ssl_.get(), &octet, 1) == 1) return "";
  const int error = errno;
  const std::string said = DrainOpensslErrors();
  return absl::StrCat("refused: ", said, error == 0 ? "" : std::strerror(error));
}

void TlsClient::BeginHttp2() {
  DieUnless(SSL_write(ssl_.get(), kHttp2Preface, sizeof(kHttp2Preface) - 1) > 0, "HTTP/2");
}

}  // namespace hourglass
