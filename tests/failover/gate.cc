#include "tests/failover/gate.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/loopback.h"

namespace hourglass::failover {
namespace {

using issuance::Descriptor;

constexpr std::size_t kMostWaiting = 65536;

void MakeReady(const Descriptor& socket) {
  const int yes = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

bool MayTryAgain() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

std::string Endpoint::InWords() const { return absl::StrCat(address, ":", port); }

absl::StatusOr<std::unique_ptr<Gate>> Gate::Make(const std::string& address, Endpoint target) {
  Listener listening = ListenOn(address);
  Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!listening.descriptor.valid() || !wake.valid()) {
    return Error(ErrorReason::kInternalError, "", absl::StrCat("Gate: no port of ", address));
  }
  Endpoint endpoint = {address, listening.port};
  return std::unique_ptr<Gate>(new Gate(std::move(listening.descriptor), std::move(wake),
                                        std::move(endpoint), std::move(target)));
}

Gate::Gate(Descriptor listener, Descriptor wake, Endpoint endpoint, Endpoint target)
    : listener_(std::move(listener)),
      wake_(std::move(wake)),
      endpoint_(std::move(endpoint)),
      target_(std::move(target)),
      thread_([this] { Run(); }) {}

Gate::~Gate() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

void Gate::Wake() const { eventfd_write(wake_.get(), 1); }

void Gate::Shut() {
  const MutexLock lock(mutex_);
  is_shut_ = true;
  Wake();
}

void Gate::Open() {
  const MutexLock lock(mutex_);
  is_shut_ = false;
  Wake();
}

void Gate::Run() {
  for (;;) {
    std::vector<pollfd> waits;
    {
      const MutexLock lock(mutex_);
      if (stopping_) return;
      waits = Waits();
    }
    poll(waits.data(), waits.size(), -1);
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
    const MutexLock lock(mutex_);
    if (is_shut_) continue;
    Accept();
    for (Link& link : links_) Work(link);
    links_.remove_if([](const Link& link) {
      return link.is_broken || (link.ways[0].is_closed && link.ways[1].is_closed);
    });
  }
}

std::vector<pollfd> Gate::Waits() {
  std::vector<pollfd> waits = {{wake_.get(), POLLIN, 0}};
  if (is_shut_) return waits;
  waits.push_back({listener_.get(), POLLIN, 0});
  for (const Link& link : links_) {
    for (const std::size_t side : {0U, 1U}) {
      const Way& out = link.ways[side];
      const Way& in = link.ways[1 - side];
      int events = 0;
      if (!out.has_ended && out.octets.size() < kMostWaiting) events |= POLLIN;
      if (!in.octets.empty()) events |= POLLOUT;
      // Also without events poll tells of an end, again and again.
      if (events != 0) waits.push_back({link.sides[side].get(), static_cast<short>(events), 0});
    }
  }
  return waits;
}

void Gate::Accept() {
  for (;;) {
    Descriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client.valid()) return;
    // Of loopback: made, or refused, at once.
    Descriptor server = ConnectTo(target_.address, target_.port);
    if (!server.valid()) continue;
    MakeReady(client);
    MakeReady(server);
    links_.push_back({{std::move(client), std::move(server)}});
  }
}

void Gate::Work(Link& link) {
  Forward(link, 0);
  Forward(link, 1);
}

void Gate::Forward(Link& link, std::size_t from) {
  Way& way = link.ways[from];
  const int source = link.sides[from].get();
  const int target = link.sides[1 - from].get();
  std::array<char, 16384> buffer;
  while (!way.has_ended && way.octets.size() < kMostWaiting) {
    const ssize_t got = recv(source, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && MayTryAgain()) break;
    if (got < 0) link.is_broken = true;
    if (got <= 0) way.has_ended = true;
    if (got > 0) way.octets.append(buffer.data(), static_cast<std::size_t>(got));
  }
  while (!way.octets.empty()) {
    const ssize_t sent =
        send(target, way.octets.data(), way.octets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && MayTryAgain()) return;
    if (sent < 0) {
      link.is_broken = true;
      return;
    }
    way.octets.erase(0, static_cast<std::size_t>(sent));
  }
  if (way.has_ended && !way.is_closed) {
    shutdown(target, SHUT_WR);
    way.is_closed = true;
  }
}

}  // namespace hourglass::failover
