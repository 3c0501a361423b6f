#include "tests/chaos/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "tests/support/loopback.h"

namespace hourglass::chaos {
namespace {

using issuance::Descriptor;

constexpr char kLoopback[] = "127.0.0.1";

absl::Status Failed(absl::string_view what) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat("Proxy: ", what));
}

// A portion is sent when it is due, and not when there is more to be sent with it.
void SendAtOnce(const Descriptor& socket) {
  const int yes = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Proxy>> Proxy::Start(int target_port, std::uint64_t seed) {
  Listener listener = ListenOn(kLoopback);
  if (!listener.descriptor.valid()) return Failed("no port can be listened on");
  Descriptor wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) return Failed("no eventfd");
  return std::unique_ptr<Proxy>(
      new Proxy(std::move(listener.descriptor), std::move(wake), listener.port, target_port, seed));
}

Proxy::Proxy(Descriptor listener, Descriptor wake, int port, int target_port, std::uint64_t seed)
    : listener_(std::move(listener)),
      wake_(std::move(wake)),
      port_(port),
      target_port_(target_port),
      random_(seed),
      thread_([this] { Run(); }) {}

Proxy::~Proxy() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  Wake();
  thread_.join();
}

void Proxy::Wake() const { eventfd_write(wake_.get(), 1); }

template <typename Do>
void Proxy::ToEach(const Do& act) {
  {
    MutexLock lock(mutex_);
    for (Link& link : links_) act(link);
  }
  Wake();
}

void Proxy::Cut() {
  ToEach([](Link& link) { link.Cut(); });
}

void Proxy::Silence(Direction direction) {
  ToEach([direction](Link& link) { link.Silence(direction); });
}

void Proxy::Hold() {
  MutexLock lock(mutex_);
  conditions_.holds = true;
}

void Proxy::Delay(std::chrono::milliseconds longest) {
  MutexLock lock(mutex_);
  conditions_.longest_delay = longest;
}

void Proxy::Heal() {
  {
    MutexLock lock(mutex_);
    conditions_ = {};
  }
  ToEach([](Link& link) {
    if (link.is_half_open()) link.Cut();
  });
}

int Proxy::connections() const {
  MutexLock lock(mutex_);
  return static_cast<int>(links_.size());
}

void Proxy::Accept() {
  Descriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!client.valid()) return;
  // Refused, the client is: as it would be without the proxy, but for the moment that it lasts.
  Descriptor server = ConnectTo(kLoopback, target_port_);
  if (!server.valid()) return;
  SendAtOnce(client);
  SendAtOnce(server);
  links_.emplace_back(std::move(client), std::move(server));
}

void Proxy::WaitForWork() {
  std::vector<pollfd> waits = {{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
  int milliseconds = -1;
  {
    MutexLock lock(mutex_);
    const SteadyTime now = std::chrono::steady_clock::now();
    std::optional<SteadyTime> due;
    for (const Link& link : links_) {
      link.AddWaits(conditions_, now, waits);
      const std::optional<SteadyTime> next = link.NextDue(conditions_);
      if (next.has_value() && *next > now) due = std::min(due.value_or(*next), *next);
    }
    if (due.has_value()) {
      milliseconds =
          static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(*due - now).count());
    }
  }
  poll(waits.data(), waits.size(), milliseconds);
}

void Proxy::Run() {
  for (;;) {
    WaitForWork();
    eventfd_t ignored = 0;
    eventfd_read(wake_.get(), &ignored);
    MutexLock lock(mutex_);
    if (stopping_) return;
    Accept();
    const SteadyTime now = std::chrono::steady_clock::now();
    for (auto link = links_.begin(); link != links_.end();) {
      link = link->Work(conditions_, now, random_) ? std::next(link) : links_.erase(link);
    }
  }
}

}  // namespace hourglass::chaos
