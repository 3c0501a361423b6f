#include "tools/gatewayd/stream_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "tools/gatewayd/socket_address.h"

namespace hourglass::gatewayd {
namespace {

constexpr std::size_t kLongestLine = 64 * 1024;

absl::Status Away(absl::string_view address, int error) {
  return absl::UnavailableError(absl::StrCat("cannot reach ", address, ": ", strerror(error)));
}

}  // namespace

absl::StatusOr<StreamSocket> StreamSocket::Connect(const std::string& address,
                                                   const Patience& patience) {
  ASSIGN_OR_RETURN(const SocketAddress to, SocketAddress::Parse(address));
  const int fd = socket(to.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return Away(address, errno);
  StreamSocket stream(fd, address, patience);
  if (connect(fd, to.get(), to.size()) == 0) return stream;
  // A Unix socket whose queue is full says so at once.
  if (errno != EINPROGRESS) return Away(address, errno);
  RETURN_IF_ERROR(patience.Await(fd, POLLOUT));
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return Away(address, error);
  return stream;
}

StreamSocket::StreamSocket(int fd, std::string address, const Patience& patience)
    : fd_(fd), address_(std::move(address)), patience_(patience) {}

StreamSocket::StreamSocket(StreamSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      address_(std::move(other.address_)),
      patience_(other.patience_),
      waiting_(std::move(other.waiting_)) {}

StreamSocket::~StreamSocket() {
  if (fd_ >= 0) close(fd_);
}

absl::Status StreamSocket::Send(absl::string_view octets) {
  while (!octets.empty()) {
    const ssize_t sent = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) {
      RETURN_IF_ERROR(patience_.Await(fd_, POLLOUT));
    } else if (sent < 0 && errno != EINTR) {
      return Away(address_, errno);
    } else if (sent > 0) {
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  return absl::OkStatus();
}

absl::Status StreamSocket::ReceiveMore() {
  char octets[16 * 1024];
  for (;;) {
    // Before each: what has much to say is to be stopped, too.
    RETURN_IF_ERROR(patience_.Await(fd_, POLLIN));
    const ssize_t received = recv(fd_, octets, sizeof(octets), 0);
    if (received > 0) {
      waiting_.append(octets, static_cast<std::size_t>(received));
      return absl::OkStatus();
    }
    if (received == 0) {
      return absl::UnavailableError(absl::StrCat(address_, " has hung up"));
    }
    if (errno != EAGAIN && errno != EINTR) return Away(address_, errno);
  }
}

absl::StatusOr<std::string> StreamSocket::Receive(std::size_t octets) {
  while (waiting_.size() < octets) RETURN_IF_ERROR(ReceiveMore());
  std::string taken = waiting_.substr(0, octets);
  waiting_.erase(0, octets);
  return taken;
}

std::string StreamSocket::TakeLine(std::size_t end) {
  std::string line = waiting_.substr(0, end);
  waiting_.erase(0, end + 1);
  return std::string(absl::StripSuffix(line, "\r"));
}

absl::StatusOr<std::string> StreamSocket::ReceiveLine() { return ReceiveLineOr(""); }

absl::StatusOr<std::string> StreamSocket::ReceiveLineOr(absl::string_view question) {
  for (;;) {
    const std::size_t end = waiting_.find('\n');
    if (end != std::string::npos) return TakeLine(end);
    if (!question.empty() && waiting_ == question) return std::exchange(waiting_, "");
    if (waiting_.size() > kLongestLine) {
      return Error(ErrorReason::kFieldInvalid, "", absl::StrCat(address_, " sends no lines"));
    }
    RETURN_IF_ERROR(ReceiveMore());
  }
}

}  // namespace hourglass::gatewayd
