#include "tests/abuse/mixed/strangers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

// Between two strokes: the load is to be bounded, and this machine has few processors.
constexpr std::chrono::milliseconds kPause(20);
constexpr int kSilentConnections = 200;
constexpr std::chrono::milliseconds kSilence(1500);

using ContextPtr = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;

// Begins a ClientHello of TLS 1.2 that has 512 octets (RFC 8446 section 5.1).
std::string HalfClientHello() {
  return std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
}

template <typename Act>
int Repeat(const std::atomic<bool>& stopping, Act act) {
  int count = 0;
  for (; !stopping; ++count) {
    act(2 + count % 200);
    std::this_thread::sleep_for(kPause);
  }
  return count;
}

void Hold(std::vector<Stranger>& connections, const std::atomic<bool>& stopping) {
  const auto end = std::chrono::steady_clock::now() + kSilence;
  while (!stopping && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kPause);
  connections.clear();
}

}  // namespace

Stranger::Stranger(const std::string& address, int source) {
  const std::size_t colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), &port)) return;
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_in from = {}, to = {};
  from.sin_family = to.sin_family = AF_INET;
  inet_pton(AF_INET, absl::StrCat("127.0.0.", source).c_str(), &from.sin_addr);
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  const timeval patience = {1, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0 &&
      connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) {
    fd_ = fd;
  } else {
    close(fd);
  }
}

Stranger::Stranger(Stranger&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Stranger::~Stranger() {
  if (fd_ >= 0) close(fd_);
}

void Stranger::Send(const std::string& octets) const {
  if (fd_ < 0) return;
  static_cast<void>(send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL) < 0);
}

bool Stranger::ShakeHands(const MutualTls& tls, const TlsCredential* credential) const {
  if (fd_ < 0) return false;
  const ContextPtr context(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  constexpr unsigned char kH2[] = "\x02h2";
  SSL_CTX_set_alpn_protos(context.get(), kH2, 3);
  SSL_CTX_load_verify_locations(context.get(), tls.trusted_roots_file().c_str(), nullptr);
  if (credential != nullptr) {
    SSL_CTX_use_certificate_chain_file(context.get(), credential->certificate_file.c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), credential->private_key_file.c_str(),
                                SSL_FILETYPE_PEM);
  }
  const SslPtr ssl(SSL_new(context.get()), &SSL_free);
  SSL_set_fd(ssl.get(), fd_);
  char octet = 0;
  const bool taken = SSL_connect(ssl.get()) == 1 && SSL_read(ssl.get(), &octet, 1) == 1;
  ERR_clear_error();
  return taken;
}

int ConnectInSilence(const StrangerTarget& target, const std::atomic<bool>& stopping) {
  int count = 0;
  while (!stopping) {
    std::vector<Stranger> connections;
    for (int i = 0; i < kSilentConnections && !stopping; ++i) {
      connections.emplace_back(target.address, 2 + i % 200);
      ++count;
    }
    Hold(connections, stopping);
  }
  return count;
}

int SendGarbage(const StrangerTarget& target, const std::atomic<bool>& stopping) {
  const std::string garbage(4096, '\xA5');
  return Repeat(stopping, [&](int source) { Stranger(target.address, source).Send(garbage); });
}

int StopInTheHandshake(const StrangerTarget& target, const std::atomic<bool>& stopping) {
  int count = 0;
  while (!stopping) {
    std::vector<Stranger> connections;
    for (int i = 0; i < 20; ++i, ++count) {
      connections.emplace_back(target.address, 2 + i);
      connections.back().Send(HalfClientHello());
    }
    Hold(connections, stopping);
  }
  return count;
}

int ShowNoCertificate(const StrangerTarget& target, const std::atomic<bool>& stopping) {
  return Repeat(stopping, [&](int source) {
    Stranger(target.address, source).ShakeHands(*target.tls, nullptr);
  });
}

int ShowAnUnboundCertificate(const StrangerTarget& target, const std::atomic<bool>& stopping) {
  bool taken = false;
  const int count = Repeat(stopping, [&](int source) {
    taken |= Stranger(target.address, source).ShakeHands(*target.tls, target.unbound);
  });
  return taken ? -1 : count;
}

}  // namespace hourglass
