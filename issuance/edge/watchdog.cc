#include "issuance/edge/watchdog.h"

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hsm/base/openssl.h"
#include "hsm/base/status_macros.h"
#include "issuance/edge/descriptor.h"
#include "issuance/edge/peer_address.h"

namespace hourglass::issuance {
namespace {

using SslContextPtr = OpensslPtr<SSL_CTX, SSL_CTX_free>;
using SslPtr = OpensslPtr<SSL, SSL_free>;

absl::Status SystemError(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

// What a TLS client says first.
absl::StatusOr<std::string> Hello() {
  const SslContextPtr context(SSL_CTX_new(TLS_client_method()));
  const SslPtr ssl(context ? SSL_new(context.get()) : nullptr);
  BioPtr in(BIO_new(BIO_s_mem()));
  BioPtr out(BIO_new(BIO_s_mem()));
  if (ssl == nullptr || in == nullptr || out == nullptr) {
    return absl::UnavailableError(DrainOpensslErrors());
  }
  BIO* const written = out.get();
  SSL_set_bio(ssl.get(), in.release(), out.release());
  SSL_connect(ssl.get());
  DrainOpensslErrors();
  std::string octets(4096, '\0');
  const int size = BIO_read(written, octets.data(), static_cast<int>(octets.size()));
  octets.resize(static_cast<std::size_t>(std::max(0, size)));
  return octets;
}

struct Address {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

// Where the listening socket is reached from this machine.
absl::StatusOr<Address> Own(int listening_socket) {
  Address address;
  if (getsockname(listening_socket, address.get(), &address.size) != 0) {
    return SystemError("getsockname");
  }
  if (address.storage.ss_family == AF_INET) {
    auto* const ipv4 = reinterpret_cast<sockaddr_in*>(&address.storage);
    if (ipv4->sin_addr.s_addr == htonl(INADDR_ANY)) ipv4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    auto* const ipv6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
    if (IN6_IS_ADDR_UNSPECIFIED(&ipv6->sin6_addr)) ipv6->sin6_addr = in6addr_loopback;
  }
  return address;
}

void SetAnyPort(Address& address) {
  if (address.storage.ss_family == AF_INET) {
    reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = 0;
  } else {
    reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = 0;
  }
}

absl::Status WaitFor(int socket, short event, std::chrono::steady_clock::time_point end) {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd ready = {socket, event, 0};
    const int count = poll(&ready, 1, static_cast<int>(std::max<std::int64_t>(0, left.count())));
    if (count > 0) return absl::OkStatus();
    if (count == 0) return absl::DeadlineExceededError("the own port gave no answer");
    if (errno != EINTR) return SystemError("poll");
  }
}

}  // namespace

absl::Status ProbeOwnPort(Acceptor& acceptor, std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  ASSIGN_OR_RETURN(const std::string hello, Hello());
  ASSIGN_OR_RETURN(Address to, Own(acceptor.listening_socket()));
  const Descriptor socket(
      ::socket(to.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return SystemError("socket");
  // Bound before it connects, so that the acceptor knows it when it comes.
  Address from = to;
  SetAnyPort(from);
  if (bind(socket.get(), from.get(), from.size) != 0) return SystemError("bind");
  if (getsockname(socket.get(), from.get(), &from.size) != 0) return SystemError("getsockname");
  acceptor.ExpectOwn(PeerAddressOf(from.storage).name);
  if (connect(socket.get(), to.get(), to.size) != 0 && errno != EINPROGRESS) {
    return SystemError("connect");
  }
  RETURN_IF_ERROR(WaitFor(socket.get(), POLLOUT, end));
  if (send(socket.get(), hello.data(), hello.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(hello.size())) {
    return SystemError("send");
  }
  RETURN_IF_ERROR(WaitFor(socket.get(), POLLIN, end));
  char octet;
  if (recv(socket.get(), &octet, 1, MSG_DONTWAIT) == 1) return absl::OkStatus();
  return absl::UnavailableError("the own port hung up");
}

Watchdog::Watchdog(Acceptor* acceptor, std::chrono::milliseconds interval,
                   std::function<void()> answered, const EventLog* log)
    : acceptor_(acceptor),
      interval_(interval),
      answered_(std::move(answered)),
      log_(log),
      thread_([this] { Run(); }) {}

Watchdog::~Watchdog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
}

void Watchdog::Run() {
  bool failing = false;
  MutexLock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const absl::Status status = ProbeOwnPort(*acceptor_, kPatience);
    if (status.ok()) {
      if (failing) log_->Info("port_answered", {});
      answered_();
    } else {
      log_->Failure("port_not_answered", {{"message", status.message()}});
    }
    failing = !status.ok();
    lock.lock();
    stop_.wait_for(lock, interval_,
                   [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_; });
  }
}

}  // namespace hourglass::issuance
