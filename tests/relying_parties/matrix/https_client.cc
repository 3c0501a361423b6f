#include "tests/relying_parties/matrix/https_client.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdio>
#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/openssl.h"
#include "tests/support/loopback.h"

namespace hourglass::matrix {
namespace {

constexpr int kPatienceSeconds = 10;
constexpr int kLookMilliseconds = 20;
constexpr char kRequest[] =
    "GET / HTTP/1.1\r\nHost: localhost\r\nX-Hourglass-User: mallory@contoso.example\r\n"
    "Connection: close\r\n\r\n";

void DieUnless(bool done, const char* what) {
  if (done) return;
  std::fprintf(stderr, "%s: %s\n", what, DrainOpensslErrors().c_str());
  std::abort();
}

using BioPtr = OpensslPtr<BIO, BIO_free_all>;
using CertificatePtr = OpensslPtr<X509, X509_free>;
using KeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;

BioPtr Memory(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

void UseCredential(SSL* ssl, const CertificateAndKey& credential) {
  const BioPtr certificates = Memory(credential.certificate_pem);
  const CertificatePtr leaf(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  DieUnless(leaf != nullptr && SSL_use_certificate(ssl, leaf.get()) == 1, "certificate");
  for (;;) {
    const CertificatePtr next(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    DieUnless(SSL_add1_chain_cert(ssl, next.get()) == 1, "chain");
  }
  DrainOpensslErrors();
  const KeyPtr key(
      PEM_read_bio_PrivateKey(Memory(credential.private_key_pem).get(), nullptr, nullptr, nullptr));
  DieUnless(key != nullptr && SSL_use_PrivateKey(ssl, key.get()) == 1, "key");
}

std::string HeaderOf(const std::string& request, const std::string& name) {
  const std::size_t at = request.find(absl::StrCat("\r\n", name, ": "));
  if (at == std::string::npos) return "";
  const std::size_t start = at + name.size() + 4;
  return request.substr(start, request.find("\r\n", start) - start);
}

void Answer(const issuance::Descriptor& connection) {
  std::string request;
  char octets[4096];
  while (!absl::StrContains(request, "\r\n\r\n")) {
    const ssize_t size = recv(connection.get(), octets, sizeof(octets), 0);
    if (size <= 0) return;
    request.append(octets, static_cast<std::size_t>(size));
  }
  const std::string body = absl::StrCat("welcome ", HeaderOf(request, "X-Hourglass-User"), "\n");
  const std::string answer =
      absl::StrCat("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ", body.size(),
                   "\r\nConnection: close\r\n\r\n", body);
  (void)send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
}

}  // namespace

std::string GetPage(int port, const CertificateAndKey& credential) {
  const issuance::Descriptor socket = ConnectTo("127.0.0.1", port);
  if (!socket.valid()) return "";
  const timeval patience = {kPatienceSeconds, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  const OpensslPtr<SSL_CTX, SSL_CTX_free> context(SSL_CTX_new(TLS_client_method()));
  const OpensslPtr<SSL, SSL_free> ssl(SSL_new(context.get()));
  DieUnless(SSL_set_fd(ssl.get(), socket.get()) == 1, "SSL_set_fd");
  SSL_set_min_proto_version(ssl.get(), TLS1_3_VERSION);
  SSL_set_tlsext_host_name(ssl.get(), "localhost");
  UseCredential(ssl.get(), credential);
  std::string answer;
  if (SSL_connect(ssl.get()) == 1 &&
      SSL_write(ssl.get(), kRequest, static_cast<int>(sizeof(kRequest) - 1)) > 0) {
    char octets[4096];
    int size = 0;
    while ((size = SSL_read(ssl.get(), octets, sizeof(octets))) > 0) {
      answer.append(octets, static_cast<std::size_t>(size));
    }
  }
  DrainOpensslErrors();
  return answer;
}

Application::Application() {
  Listener listener = ListenOn("127.0.0.1");
  listener_ = std::move(listener.descriptor);
  port_ = listener.port;
  thread_ = std::thread([this] { Serve(); });
}

Application::~Application() {
  ends_ = true;
  thread_.join();
}

void Application::Serve() {
  while (!ends_) {
    pollfd ready = {listener_.get(), POLLIN, 0};
    if (poll(&ready, 1, kLookMilliseconds) <= 0) continue;
    const issuance::Descriptor connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    const timeval patience = {kPatienceSeconds, 0};
    setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connection.valid()) Answer(connection);
  }
}

}  // namespace hourglass::matrix
