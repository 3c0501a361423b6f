#include "issuance/edge/acceptor.h"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/status_macros.h"
#include "issuance/edge/client_hello.h"

namespace hourglass::issuance {
namespace {

using std::chrono::milliseconds;

// Connections accepted before others are looked at.
constexpr int kAtOnce = 64;
constexpr milliseconds kBackOff(100);
constexpr std::uint64_t kWake = ConnectionTable::kFirstId - 1;

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(errno)));
}

bool Watch(int epoll, int operation, int fd, std::uint32_t events, std::uint64_t data) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = data;
  return epoll_ctl(epoll, operation, fd, &event) == 0;
}

}  // namespace

Acceptor::Acceptor(ListeningSockets listening, Options options, ConnectionTable* table,
                   const EventLog* log)
    : listening_(std::move(listening)), options_(std::move(options)), table_(table), log_(log) {}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Start(ListeningSockets listening,
                                                          Options options, ConnectionTable* table,
                                                          const EventLog* log) {
  std::unique_ptr<Acceptor> acceptor(
      new Acceptor(std::move(listening), std::move(options), table, log));
  RETURN_IF_ERROR(acceptor->Open());
  acceptor->thread_ = std::thread([raw = acceptor.get()] { raw->Run(); });
  return acceptor;
}

absl::Status Acceptor::Open() {
  epoll_ = Descriptor(epoll_create1(EPOLL_CLOEXEC));
  wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  spare_ = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!epoll_.valid() || !wake_.valid() || !spare_.valid()) {
    return SystemError("cannot accept connections");
  }
  if (!Watch(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), EPOLLIN, kWake)) {
    return SystemError("cannot wait for connections");
  }
  for (std::size_t i = 0; i < listening_.sockets.size(); ++i) {
    if (!Watch(epoll_.get(), EPOLL_CTL_ADD, listening_.sockets[i].get(), EPOLLIN, i)) {
      return SystemError("cannot wait for connections");
    }
  }
  next_second_ = Clock::now() + std::chrono::seconds(1);
  return absl::OkStatus();
}

Acceptor::~Acceptor() { Stop(); }

void Acceptor::Stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  const std::uint64_t one = 1;
  // Cannot fail on a counter that nobody reads.
  static_cast<void>(!write(wake_.get(), &one, sizeof(one)));
  thread_.join();
  listening_.sockets.clear();
  // Nobody else would end those that were not handed over.
  for (EndedConnection& ended : table_->RemoveStrangers(Clock::time_point::max())) {
    ended.is_quiet = true;
    End(std::move(ended));
  }
}

void Acceptor::ExpectOwn(const std::string& peer) {
  const MutexLock lock(mutex_);
  // One at a time: an earlier one that never came is nobody's any more.
  expected_ = {peer};
}

bool Acceptor::TakeExpected(const std::string& peer) {
  const MutexLock lock(mutex_);
  return expected_.erase(peer) > 0;
}

void Acceptor::Run() {
  while (!stopping_) {
    const Clock::time_point next =
        is_paused_ ? std::min(paused_until_, next_second_) : next_second_;
    const auto wait = std::chrono::ceil<milliseconds>(next - Clock::now());
    epoll_event events[kAtOnce];
    const int count = epoll_wait(epoll_.get(), events, kAtOnce,
                                 static_cast<int>(std::max<std::int64_t>(0, wait.count())));
    for (int i = 0; i < count && !stopping_; ++i) OnEvent(events[i]);
    const Clock::time_point now = Clock::now();
    if (is_paused_ && now >= paused_until_) ListenAgain();
    if (now >= next_second_) EachSecond();
  }
}

void Acceptor::OnEvent(const epoll_event& event) {
  if (event.data.u64 >= ConnectionTable::kFirstId) {
    OnConnection(event.data.u64, event.events);
  } else if (event.data.u64 != kWake) {
    Accept(event.data.u64);
  }
}

void Acceptor::Accept(std::size_t listener) {
  const int listening = listening_.sockets[listener].get();
  for (int i = 0; i < kAtOnce; ++i) {
    Descriptor socket(accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.valid()) {
      Take(std::move(socket));
    } else if (!OnAcceptError(errno, listening)) {
      return;
    }
  }
}

bool Acceptor::OnAcceptError(int error, int listener) {
  switch (error) {
    case EAGAIN:
      return false;
    case EMFILE:
    case ENFILE:
      SayExhausted(std::strerror(error));
      if (DropOne(listener)) return true;
      PauseListening();
      return false;
    case ENOBUFS:
    case ENOMEM:
      log_->Failure("accept_failed", {{"reason", "NO_MEMORY"}, {"message", std::strerror(error)}});
      PauseListening();
      return false;
    default:
      // Of this one connection (accept(2)): the next may be sound.
      return true;
  }
}

// A connection that stays in the queue would be told of again and again, and its client would wait
// for nothing.
bool Acceptor::DropOne(int listener) {
  spare_ = Descriptor();
  const bool dropped =
      Descriptor(accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)).valid();
  spare_ = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  return dropped && spare_.valid();
}

void Acceptor::PauseListening() {
  for (std::size_t i = 0; i < listening_.sockets.size(); ++i) {
    Watch(epoll_.get(), EPOLL_CTL_MOD, listening_.sockets[i].get(), 0, i);
  }
  is_paused_ = true;
  paused_until_ = Clock::now() + kBackOff;
}

void Acceptor::ListenAgain() {
  if (!spare_.valid()) spare_ = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (std::size_t i = 0; i < listening_.sockets.size(); ++i) {
    Watch(epoll_.get(), EPOLL_CTL_MOD, listening_.sockets[i].get(), EPOLLIN, i);
  }
  is_paused_ = false;
}

void Acceptor::Take(Descriptor socket) {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  // It may have gone already.
  if (getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  PeerAddress peer = PeerAddressOf(address);
  const bool is_own = TakeExpected(peer.name);
  const int fd = socket.get();
  ConnectionTable::Added added =
      table_->Add(std::move(socket), std::move(peer), Clock::now(), is_own);
  for (EndedConnection& ended : added.ended) End(std::move(ended));
  if (!added.id.has_value()) return;
  // Each arrival of octets is told once: what is looked at here stays there for TLS.
  if (!Watch(epoll_.get(), EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, *added.id)) {
    Refuse(*added.id, "NO_MEMORY", std::strerror(errno));
  }
}

void Acceptor::OnConnection(ConnectionTable::Id id, std::uint32_t events) {
  const int socket = table_->SocketOf(id);
  if (socket < 0) return;
  // Both sides are shut, or it was reset: TLS is done with it, or has the same news.
  if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
    std::optional<EndedConnection> ended = table_->Remove(id);
    if (ended.has_value()) End(*std::move(ended));
    return;
  }
  if ((events & EPOLLIN) != 0 && ReadHello(id, socket)) return;
  if ((events & EPOLLRDHUP) == 0) return;
  // Said all that it wanted to, and it was no ClientHello: a port scan, or a balancer's probe.
  if (std::optional<EndedConnection> ended = table_->Remove(id)) End(*std::move(ended));
}

bool Acceptor::ReadHello(ConnectionTable::Id id, int socket) {
  char octets[kHelloPrefixSize];
  const ssize_t size = recv(socket, octets, sizeof(octets), MSG_PEEK | MSG_DONTWAIT);
  if (size <= 0) return false;
  // What cannot become one is not waited for.
  if (octets[0] != 22) {
    Refuse(id, "NOT_TLS", "the connection does not begin with a TLS handshake");
    return true;
  }
  if (static_cast<std::size_t>(size) < sizeof(octets)) return false;
  const std::optional<std::string> random = ClientRandomOf({octets, sizeof(octets)});
  if (!random.has_value()) {
    Refuse(id, "NOT_TLS", "the connection does not begin with a TLS ClientHello");
  } else if (!table_->BeginHandshake(id, *random)) {
    Refuse(id, "HANDSHAKE_REPEATED", "another connection has this ClientHello's random");
  } else {
    HandOver(id, socket);
  }
  return true;
}

void Acceptor::HandOver(ConnectionTable::Id id, int socket) {
  // From now on only the end is of interest, which is told without being asked for.
  if (!Watch(epoll_.get(), EPOLL_CTL_MOD, socket, EPOLLET, id)) {
    return Refuse(id, "NO_MEMORY", std::strerror(errno));
  }
  Descriptor for_tls(fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!for_tls.valid()) {
    SayExhausted(std::strerror(errno));
    return Refuse(id, "NO_DESCRIPTORS", "no file descriptor is left");
  }
  options_.hand_over(std::move(for_tls));
}

void Acceptor::Refuse(ConnectionTable::Id id, absl::string_view reason, absl::string_view message) {
  std::optional<EndedConnection> ended = table_->Remove(id);
  if (!ended.has_value()) return;
  if (!ended->is_quiet) {
    log_->Warning("connection_refused",
                  {{"peer", ended->peer}, {"reason", reason}, {"message", message}});
  }
  ended->is_quiet = true;
  End(*std::move(ended));
}

void Acceptor::End(EndedConnection ended) {
  Tell(ended);
  // The registration would stay for as long as TLS has its own descriptor of the connection.
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, ended.socket.get(), nullptr);
  shutdown(ended.socket.get(), SHUT_RDWR);
}

void Acceptor::Tell(const EndedConnection& ended) const {
  if (ended.is_quiet) return;
  const bool is_caller = ended.admitted != nullptr && ended.stage == ConnectionStage::kProved;
  if (is_caller && !ended.why.ok()) {
    log_->Warning("connection_ended", {{"peer", ended.peer},
                                       {"caller", ended.admitted->caller->name},
                                       {"reason", ErrorReasonName(ReasonOf(ended.why))},
                                       {"message", ended.why.message()},
                                       {"certificate", NameForLog(ended.admitted->certificate)}});
  } else if (absl::IsResourceExhausted(ended.why)) {
    log_->Warning("connection_refused", {{"peer", ended.peer},
                                         {"reason", "TOO_MANY_CONNECTIONS"},
                                         {"message", ended.why.message()}});
  } else if (absl::IsDeadlineExceeded(ended.why)) {
    log_->Warning(
        "connection_refused",
        {{"peer", ended.peer}, {"reason", "HANDSHAKE_TIMEOUT"}, {"message", ended.why.message()}});
  } else if (ended.stage == ConnectionStage::kHandshaking) {
    log_->Warning("connection_refused", {{"peer", ended.peer},
                                         {"reason", "HANDSHAKE_FAILED"},
                                         {"message", "the TLS handshake was not completed"}});
  }
}

void Acceptor::SayExhausted(absl::string_view message) {
  if (exhaustion_is_said_) return;
  exhaustion_is_said_ = true;
  log_->Failure("descriptors_exhausted", {{"message", message}});
}

void Acceptor::EachSecond() {
  next_second_ = Clock::now() + std::chrono::seconds(1);
  exhaustion_is_said_ = false;
  for (EndedConnection& ended : table_->RemoveStrangers(Clock::now() - kHandshakeTimeout)) {
    End(std::move(ended));
  }
  options_.each_second();
  for (EndedConnection& ended : table_->RemoveRefused(options_.check)) End(std::move(ended));
}

}  // namespace hourglass::issuance
