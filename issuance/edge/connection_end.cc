#include "issuance/edge/connection_end.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace hourglass::issuance {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { closedir(folder); }
};

// A descriptor of its own for what another one is, so that it cannot become something else.
class Duplicate {
 public:
  explicit Duplicate(int fd) : fd_(fcntl(fd, F_DUPFD_CLOEXEC, 0)) {}
  ~Duplicate() {
    if (fd_ >= 0) close(fd_);
  }
  Duplicate(const Duplicate&) = delete;
  Duplicate& operator=(const Duplicate&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

// As gRPC writes it, but for its escapes.
std::optional<std::string> TextOf(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof(v4));
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", ntohs(v4.sin_port));
  }
  if (address.ss_family != AF_INET6) return std::nullopt;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof(v6));
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof(text));
    return absl::StrCat("ipv4:", text, ":", ntohs(v6.sin6_port));
  }
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  return absl::StrCat("ipv6:[", text, "]:", ntohs(v6.sin6_port));
}

std::optional<std::string> PeerOf(int fd) {
  sockaddr_storage peer = {};
  socklen_t size = sizeof(peer);
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return std::nullopt;
  return TextOf(peer);
}

// 0 where it has none.
int LocalPortOf(int fd) {
  sockaddr_storage local = {};
  socklen_t size = sizeof(local);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) return 0;
  if (local.ss_family != AF_INET && local.ss_family != AF_INET6) return 0;
  // At the same place in both families.
  sockaddr_in either;
  std::memcpy(&either, &local, sizeof(either));
  return ntohs(either.sin_port);
}

// shutdown(2) would leave the reader what is in the socket's buffer, megabytes of a flood, and go
// on receiving.
bool Abort(int fd) {
  sockaddr nobody = {};
  nobody.sa_family = AF_UNSPEC;
  return connect(fd, &nobody, sizeof(nobody)) == 0;
}

// Calls `look` with each of this process's descriptors until it returns true.
template <typename Look>
bool AnyDescriptor(Look look) {
  const std::unique_ptr<DIR, CloseFolder> folder(opendir("/proc/self/fd"));
  if (folder == nullptr) return false;
  while (const dirent* entry = readdir(folder.get())) {
    int fd = -1;
    if (absl::SimpleAtoi(entry->d_name, &fd) && look(fd)) return true;
  }
  return false;
}

}  // namespace

bool EndConnectionOf(absl::string_view peer) {
  const std::string wanted = absl::StrReplaceAll(peer, {{"%5B", "["}, {"%5D", "]"}});
  return AnyDescriptor([&wanted](int fd) {
    if (PeerOf(fd) != wanted) return false;
    const Duplicate held(fd);
    return held.fd() >= 0 && PeerOf(held.fd()) == wanted && Abort(held.fd());
  });
}

std::map<std::string, std::uint64_t> ReceivedByPeer(int port) {
  std::map<std::string, std::uint64_t> received;
  AnyDescriptor([&](int fd) {
    if (LocalPortOf(fd) != port) return false;
    const std::optional<std::string> peer = PeerOf(fd);
    tcp_info info = {};
    socklen_t size = sizeof(info);
    if (peer.has_value() && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
      received[*peer] = info.tcpi_bytes_received;
    }
    return false;
  });
  return received;
}

}  // namespace hourglass::issuance
