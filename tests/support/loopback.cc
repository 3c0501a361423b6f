#include "tests/support/loopback.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace hourglass {

using issuance::Descriptor;

namespace {

constexpr int kBacklog = 128;

}  // namespace

Descriptor ConnectTo(const std::string& address, int port) {
  addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.c_str(), absl::StrCat(port).c_str(), &hints, &found) != 0) {
    errno = EINVAL;
    return Descriptor();
  }
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0) {
    const int error = errno;
    socket = Descriptor();
    errno = error;
  }
  freeaddrinfo(found);
  return socket;
}

Descriptor ConnectTo(const std::string& host_port) {
  const std::size_t colon = host_port.rfind(':');
  int port = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(host_port.substr(colon + 1), &port)) {
    errno = EINVAL;
    return Descriptor();
  }
  return ConnectTo(host_port.substr(0, colon), port);
}

Listener ListenOn(const std::string& address) {
  Descriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in name = {};
  name.sin_family = AF_INET;
  socklen_t size = sizeof(name);
  auto* const any = reinterpret_cast<sockaddr*>(&name);
  if (inet_pton(AF_INET, address.c_str(), &name.sin_addr) != 1 ||
      bind(listener.get(), any, size) != 0 || listen(listener.get(), kBacklog) != 0 ||
      getsockname(listener.get(), any, &size) != 0) {
    return Listener();
  }
  return {std::move(listener), ntohs(name.sin_port)};
}

int FreePort(const std::string& address) { return ListenOn(address).port; }

bool EndsWithin(const Descriptor& connection, int seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd ready = {connection.get(), POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(left.count())) <= 0) continue;
    char octets[4096];
    const ssize_t size = recv(connection.get(), octets, sizeof(octets), MSG_DONTWAIT);
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return true;
  }
}

}  // namespace hourglass
