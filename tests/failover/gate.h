// A place that connections must pass, for a test to shut.
#ifndef HOURGLASS_TESTS_FAILOVER_GATE_H_
#define HOURGLASS_TESTS_FAILOVER_GATE_H_

#include <poll.h>

#include <array>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/edge/descriptor.h"

namespace hourglass::failover {

// An address of IPv4.
struct Endpoint {
  std::string address;
  int port = 0;

  std::string InWords() const;  // `127.0.0.1:5432`
};

// Forwards TCP connections to another address. Shut, it forwards nothing in either direction and
// ends nothing, as a network that is cut: new connections are made, and nobody answers. Safe to
// call from several threads.
class Gate {
 public:
  // Listens on a free port of `address`, open. Errors: INTERNAL_ERROR.
  static absl::StatusOr<std::unique_ptr<Gate>> Make(const std::string& address, Endpoint target);
  ~Gate();
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }
  // Takes effect before it returns.
  void Shut() ABSL_LOCKS_EXCLUDED(mutex_);
  // What was kept back goes on.
  void Open() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // From side to side.
  struct Way {
    std::string octets = "";
    bool has_ended = false;  // the side that sends
    bool is_closed = false;  // the other side was told
  };
  struct Link {
    std::array<issuance::Descriptor, 2> sides;
    std::array<Way, 2> ways = {};  // 0: from side 0 to side 1
    bool is_broken = false;
  };

  Gate(issuance::Descriptor listener, issuance::Descriptor wake, Endpoint endpoint,
       Endpoint target);
  void Run();
  void Wake() const;
  std::vector<pollfd> Waits() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static void Work(Link& link);
  static void Forward(Link& link, std::size_t from);

  const issuance::Descriptor listener_;
  const issuance::Descriptor wake_;
  const Endpoint endpoint_;
  const Endpoint target_;
  Mutex mutex_;
  std::list<Link> links_ ABSL_GUARDED_BY(mutex_);
  bool is_shut_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hourglass::failover

#endif  // HOURGLASS_TESTS_FAILOVER_GATE_H_
