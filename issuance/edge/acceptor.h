// The loop that accepts connections, and bounds them.
#ifndef HOURGLASS_ISSUANCE_EDGE_ACCEPTOR_H_
#define HOURGLASS_ISSUANCE_EDGE_ACCEPTOR_H_

#include <sys/epoll.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/edge/connection_table.h"
#include "issuance/edge/descriptor.h"
#include "issuance/edge/listening_sockets.h"
#include "issuance/log/event_log.h"

namespace hourglass::issuance {

// Accepts connections on a thread of its own, and hands each to whoever does TLS as soon as its
// ClientHello is there. It keeps a descriptor of each, by which it sees the end of the connection
// and can end it: strangers whose handshake takes longer than kHandshakeTimeout, and callers that
// are refused meanwhile. When the process has no descriptor left, the newcomer is closed and
// nothing else happens. Logs `connection_refused`, `connection_ended`, `descriptors_exhausted` and
// `accept_failed`.
class Acceptor {
 public:
  // Of a whole handshake; noticed within a second more.
  static constexpr std::chrono::seconds kHandshakeTimeout{10};

  struct Options {
    // Takes a connection. On the acceptor's thread; must not wait.
    std::function<void(Descriptor)> hand_over;
    // Whether a caller that was admitted would be now. Each second, for each.
    std::function<absl::Status(const AdmittedPeer&)> check;
    // Each second, before.
    std::function<void()> each_second;
  };

  // `table` and `log` must outlive it. Errors: INTERNAL with what the system says.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Start(ListeningSockets listening,
                                                         Options options, ConnectionTable* table,
                                                         const EventLog* log);
  // Stops.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Listens no more and ends the connections of strangers; those of callers stay. Idempotent.
  void Stop();

  // The next connection of this PeerAddress::name is this process's own: it counts for nothing and
  // is not logged.
  void ExpectOwn(const std::string& peer);

  int port() const { return listening_.port; }
  // Of the first listening socket.
  int listening_socket() const { return listening_.sockets.front().get(); }

 private:
  using Clock = std::chrono::steady_clock;

  Acceptor(ListeningSockets listening, Options options, ConnectionTable* table,
           const EventLog* log);

  absl::Status Open();
  void Run();
  void OnEvent(const epoll_event& event);
  void Accept(std::size_t listener);
  // Whether there may be more to accept.
  bool OnAcceptError(int error, int listener);
  bool DropOne(int listener);
  void Take(Descriptor socket);
  void OnConnection(ConnectionTable::Id id, std::uint32_t events);
  // False where the connection has to wait for more octets.
  bool ReadHello(ConnectionTable::Id id, int socket);
  void HandOver(ConnectionTable::Id id, int socket);
  void Refuse(ConnectionTable::Id id, absl::string_view reason, absl::string_view message);
  void End(EndedConnection ended);
  void Tell(const EndedConnection& ended) const;
  void SayExhausted(absl::string_view message);
  void PauseListening();
  void ListenAgain();
  void EachSecond();
  bool TakeExpected(const std::string& peer);

  ListeningSockets listening_;
  const Options options_;
  ConnectionTable* const table_;
  const EventLog* const log_;
  Descriptor epoll_;
  Descriptor wake_;
  Descriptor spare_;  // given up to accept, and close, one connection where there is no other
  Clock::time_point next_second_;
  Clock::time_point paused_until_;
  bool is_paused_ = false;
  bool exhaustion_is_said_ = false;
  Mutex mutex_;
  std::set<std::string> expected_ ABSL_GUARDED_BY(mutex_);
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_ACCEPTOR_H_
