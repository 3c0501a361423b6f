// The network between a replica and its database, for a test to break.
#ifndef HOURGLASS_TESTS_CHAOS_PROXY_H_
#define HOURGLASS_TESTS_CHAOS_PROXY_H_

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "hsm/base/mutex.h"
#include "issuance/edge/descriptor.h"
#include "tests/chaos/link.h"

namespace hourglass::chaos {

// Forwards TCP connections from a free port of 127.0.0.1 to another port there, octet by octet,
// and breaks them when it is told to. Safe to call from several threads.
class Proxy {
 public:
  // `seed` is that of the delays. Errors: INTERNAL_ERROR where no port can be listened on.
  static absl::StatusOr<std::unique_ptr<Proxy>> Start(int target_port, std::uint64_t seed);
  // Ends all connections.
  ~Proxy();

  int port() const { return port_; }

  // Each of these takes effect a moment later, without being waited for.

  // Ends the connections that there are, on both sides, with an RST. New ones work.
  void Cut();
  // Makes the connections that there are half-open: what is sent in this direction (kBoth: in
  // either) is thrown away from now on, and neither side learns that the other is gone. New ones
  // work.
  void Silence(Direction direction);
  // Keeps back what is sent on any connection, also on new ones, and also that one has ended.
  void Hold();
  // Each portion of at most kPortion octets of any connection comes later by some time up to this.
  void Delay(std::chrono::milliseconds longest);
  // What was kept back goes on, nothing is delayed that is not yet, and the connections that were
  // silenced are ended.
  void Heal();

  // How many there are now, those included of which one side or both have ended unnoticed.
  int connections() const;

 private:
  Proxy(issuance::Descriptor listener, issuance::Descriptor wake, int port, int target_port,
        std::uint64_t seed);
  void Run();
  void WaitForWork() ABSL_LOCKS_EXCLUDED(mutex_);
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Wake() const;
  template <typename Do>
  void ToEach(const Do& act) ABSL_LOCKS_EXCLUDED(mutex_);

  const issuance::Descriptor listener_;
  const issuance::Descriptor wake_;
  const int port_;
  const int target_port_;
  mutable Mutex mutex_;
  std::list<Link> links_ ABSL_GUARDED_BY(mutex_);
  Conditions conditions_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace hourglass::chaos

#endif  // HOURGLASS_TESTS_CHAOS_PROXY_H_
