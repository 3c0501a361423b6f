// Which connections there are, how far each has come, and how many there may be.
#ifndef HOURGLASS_ISSUANCE_EDGE_CONNECTION_TABLE_H_
#define HOURGLASS_ISSUANCE_EDGE_CONNECTION_TABLE_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "hsm/base/mutex.h"
#include "issuance/edge/descriptor.h"
#include "issuance/edge/peer_address.h"
#include "issuance/identity/caller.h"

namespace hourglass::issuance {

struct ConnectionLimits {
  int in_all = 4096;
  int per_source = 1024;  // see PeerAddress
  // Of those, the ones whose client has not proved who it is.
  int strangers = 1024;
  int strangers_per_source = 256;
};

enum class ConnectionStage {
  kSilent,       // no ClientHello yet
  kHandshaking,  // the client has not proved who it is
  kProved,       // it has: a caller
};

// A connection that is no longer counted, and that whoever gets this has to end.
struct EndedConnection {
  Descriptor socket;
  std::string peer;  // PeerAddress::name
  ConnectionStage stage;
  // Whether nobody need hear of the end: it is this process's own, or the log has the reason.
  bool is_quiet;
  std::shared_ptr<const AdmittedPeer> admitted;  // null where no caller is known
  absl::Status why;                              // OK where the connection ended by itself
};

// Where there is no room for one more, the oldest stranger goes, a silent one first: whoever
// completes its handshake is not kept out by those who do not. Callers are never ended for room.
// Safe to use from several threads.
class ConnectionTable {
 public:
  using Id = std::uint64_t;
  using Time = std::chrono::steady_clock::time_point;

  static constexpr Id kFirstId = 1024;

  explicit ConnectionTable(const ConnectionLimits& limits) : limits_(limits) {}

  struct Added {
    std::optional<Id> id;  // nullopt: no room
    std::vector<EndedConnection> ended;
  };
  // Takes the socket; without room it is in `ended`. `is_own`: not counted.
  Added Add(Descriptor socket, PeerAddress peer, Time now, bool is_own);

  // The socket, which stays the table's; -1 of an unknown connection.
  int SocketOf(Id id) const;

  // A ClientHello with this random has come. False where another connection has it, and of an
  // unknown one.
  bool BeginHandshake(Id id, const std::string& random);

  // By the random of its ClientHello. Empty, false or without effect of an unknown one.
  std::string PeerOf(const std::string& random) const;
  std::string CallerOf(const std::string& random) const;  // its name; "" before Admit too
  // Whether its caller is an administrator, once it was admitted.
  bool IsAdministrators(const std::string& random) const;
  bool Admit(const std::string& random, AdmittedPeer admitted);
  void Prove(const std::string& random);  // only where it was admitted
  void KeepQuiet(const std::string& random);
  // Sends what fits without waiting.
  void Send(const std::string& random, absl::string_view octets) const;

  std::optional<EndedConnection> Remove(Id id, const absl::Status& why = absl::OkStatus());

  // Those of strangers, added before `before`.
  std::vector<EndedConnection> RemoveStrangers(Time before);
  // Those of callers for which `check` fails.
  std::vector<EndedConnection> RemoveRefused(
      const std::function<absl::Status(const AdmittedPeer&)>& check);

  int size() const;

 private:
  struct Connection {
    Descriptor socket;
    PeerAddress peer;
    Time added;
    bool is_own = false;
    bool is_quiet = false;
    ConnectionStage stage = ConnectionStage::kSilent;
    std::string random;
    std::shared_ptr<const AdmittedPeer> admitted;
  };
  // Ids in the order in which they came.
  struct Strangers {
    std::set<Id> silent;
    std::set<Id> handshaking;

    int size() const { return static_cast<int>(silent.size() + handshaking.size()); }
    std::optional<Id> Oldest() const;
    void Move(Id id, ConnectionStage from, ConnectionStage to);
  };
  struct Source {
    int connections = 0;
    Strangers strangers;
  };

  Connection* Find(const std::string& random) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MoveTo(Id id, Connection& connection, ConnectionStage stage)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<Id> OneTooMany(const std::string& source) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsFull(const std::string& source) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  EndedConnection Take(Id id, const absl::Status& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ConnectionLimits limits_;
  mutable Mutex mutex_;
  Id next_ ABSL_GUARDED_BY(mutex_) = kFirstId;
  int counted_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unordered_map<Id, Connection> connections_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Id> by_random_ ABSL_GUARDED_BY(mutex_);
  Strangers strangers_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, Source> sources_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace hourglass::issuance

#endif  // HOURGLASS_ISSUANCE_EDGE_CONNECTION_TABLE_H_
