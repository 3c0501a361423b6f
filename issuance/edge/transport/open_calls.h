// How far the calls that a connection begins are ahead of the service.
#ifndef HOURGLASS_ISSUANCE_EDGE_TRANSPORT_OPEN_CALLS_H_
#define HOURGLASS_ISSUANCE_EDGE_TRANSPORT_OPEN_CALLS_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace hourglass::issuance {

// A call that a client resets (RFC 9113 section 6.4), or has the server reset, no longer counts
// among the concurrent streams of its connection (section 5.1.2), but the service has it until it
// is done with it: gRPC takes in as many as a client sends. Here such calls are counted. A
// connection with more than its share has to end, and the one who reads from it is told so before
// gRPC has the calls. Safe to use from several threads, but for Connection.
class OpenCalls {
 private:
  struct OfCaller;
  struct OfConnection;
  struct Known;

 public:
  struct Limits {
    // Of a connection, calls that began and that the service has not done with; more than wait in
    // the lines of the service, where calls stay whose callers have given up.
    int of_connection = 512;
    // The same while the connection's caller has `refused_of_caller` calls, on all of its
    // connections, that were refused and that the service has not done with.
    int of_connection_in_flood = 16;
    int refused_of_caller = 1024;
    // So many calls a second are forgotten: gRPC answers some by itself, as those of methods that
    // there are not, and tells nobody that it has.
    int forgotten_a_second = 100;
  };

  OpenCalls();
  explicit OpenCalls(const Limits& limits);
  // Where so many requests may wait (`limits.queue_length` of the configuration): as many more of a
  // connection.
  static Limits LimitsFor(std::size_t queue_length);

  // What is read from a connection. Known until it goes; may outlive everything else. Not for
  // several threads at once.
  class Connection {
   public:
    using Time = std::chrono::steady_clock::time_point;

    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // So many calls begin. Empty where they are within the limits; else why the connection has to
    // end.
    std::string Begin(int calls, Time now);

   private:
    friend class OpenCalls;
    Connection(std::shared_ptr<Known> known, std::string peer, std::shared_ptr<OfConnection> state,
               Time now);

    const std::shared_ptr<Known> known_;
    const std::string peer_;
    const std::shared_ptr<OfConnection> state_;
    double open_ = 0;
    Time latest_;
  };

  // A call that has begun, until the service has done with it, which is when this goes. May outlive
  // everything else. Not for several threads at once.
  class Call {
   public:
    Call() = default;
    Call(Call&& other) noexcept;
    Call& operator=(Call&& other) noexcept;
    ~Call();

    // It is refused, and only its answer is still to go.
    void Refuse();

   private:
    friend class OpenCalls;
    explicit Call(std::shared_ptr<OfConnection> state) : state_(std::move(state)) {}

    std::shared_ptr<OfConnection> state_;  // null: of no known connection
    bool is_refused_ = false;
  };

  // A caller's connection, by its peer as gRPC names it (PeerAddress::name).
  std::unique_ptr<Connection> Open(const std::string& peer, absl::string_view caller,
                                   Connection::Time now);

  // A call that came by the connection of `peer`; where that is not known, it counts for nothing.
  Call Follow(absl::string_view peer);

 private:
  const std::shared_ptr<Known> known_;
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_TRANSPORT_OPEN_CALLS_H_
