#include "tools/bench/load/idle_brokers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/status_macros.h"

namespace hourglass::bench {
namespace {

using SslContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;
using SslPtr = OpensslPtr<SSL, SSL_free>;

constexpr int kThreads = 8;
// Files of this process besides the connections.
constexpr int kOtherFiles = 200;

constexpr unsigned char kAlpn[] = {2, 'h', '2'};
// The client's preface, an empty SETTINGS frame and the acknowledgement of the server's.
constexpr char kBeginning[] =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    "\0\0\0\4\0\0\0\0\0"
    "\0\0\0\4\1\0\0\0\0";

absl::Status Broken(const char* what) {
  return absl::UnavailableError(absl::StrCat("an idle broker: ", what, ": ", DrainOpensslErrors()));
}

BioPtr Memory(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

absl::StatusOr<SslContextPtr> MakeContext(const LoadTarget& target) {
  SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  const X509Ptr root(
      PEM_read_bio_X509(Memory(target.trusted_roots).get(), nullptr, nullptr, nullptr));
  const X509Ptr certificate(
      PEM_read_bio_X509(Memory(target.certificate_chain).get(), nullptr, nullptr, nullptr));
  const EvpPkeyPtr key(
      PEM_read_bio_PrivateKey(Memory(target.private_key).get(), nullptr, nullptr, nullptr));
  if (context == nullptr || root == nullptr ||
      SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1 ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get()) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof(kAlpn)) != 0) {
    return Broken("its credentials");
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

absl::StatusOr<sockaddr_in> Parse(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in parsed = {};
  parsed.sin_family = AF_INET;
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port) ||
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &parsed.sin_addr) != 1) {
    return absl::UnavailableError(absl::StrCat("an idle broker: not an IPv4 address: ", address));
  }
  parsed.sin_port = htons(static_cast<std::uint16_t>(port));
  return parsed;
}

}  // namespace

struct IdleBrokers::Connection {
  Connection() : socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Connection() {
    if (socket >= 0) close(socket);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Ends where the service has said its first words of HTTP/2, and so accepted the broker.
  absl::Status Open(SSL_CTX* context, const sockaddr_in& address) {
    if (socket < 0 ||
        connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
      return Broken("connect");
    }
    tls.reset(SSL_new(context));
    char answer[256];
    if (tls == nullptr || SSL_set_fd(tls.get(), socket) != 1 || SSL_connect(tls.get()) != 1 ||
        SSL_write(tls.get(), kBeginning, sizeof(kBeginning) - 1) <= 0 ||
        SSL_read(tls.get(), answer, sizeof(answer)) <= 0) {
      return Broken("TLS");
    }
    return absl::OkStatus();
  }

  // Even where what the service said last was not read.
  bool IsOpen() const {
    pollfd end = {socket, POLLRDHUP, 0};
    return poll(&end, 1, 0) == 0;
  }

  const int socket;
  SslPtr tls;
};

absl::StatusOr<IdleBrokers> IdleBrokers::Connect(const LoadTarget& target, int count) {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
      files.rlim_cur < static_cast<rlim_t>(count) + kOtherFiles) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the limit of open files is ", files.rlim_cur));
  }
  ASSIGN_OR_RETURN(const sockaddr_in address, Parse(target.address));
  ASSIGN_OR_RETURN(const SslContextPtr context, MakeContext(target));
  IdleBrokers brokers;
  for (int i = 0; i < count; ++i) brokers.connections_.push_back(std::make_shared<Connection>());
  std::atomic<std::size_t> next = 0;
  const auto open_some = [&]() -> absl::Status {
    for (std::size_t i = next++; i < brokers.connections_.size(); i = next++) {
      RETURN_IF_ERROR(brokers.connections_[i]->Open(context.get(), address));
    }
    return absl::OkStatus();
  };
  std::vector<std::future<absl::Status>> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.push_back(std::async(std::launch::async, open_some));
  }
  absl::Status status;
  for (std::future<absl::Status>& thread : threads) status.Update(thread.get());
  RETURN_IF_ERROR(status);
  return brokers;
}

int IdleBrokers::Connected() const {
  int connected = 0;
  for (const auto& connection : connections_) connected += connection->IsOpen() ? 1 : 0;
  return connected;
}

void RaiseFileLimit() {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &files);
}

}  // namespace hourglass::bench
