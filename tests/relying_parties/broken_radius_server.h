// RADIUS servers that do what none should: for tests of what asks them.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_BROKEN_RADIUS_SERVER_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_BROKEN_RADIUS_SERVER_H_

#include <atomic>
#include <string>
#include <thread>

#include "issuance/edge/descriptor.h"

namespace hourglass {

// Answers on a free UDP port of 127.0.0.1 from its making until it goes. Ends the process where it
// has no socket.
class BrokenRadiusServer {
 public:
  enum class Fault {
    kSilent,              // answers nothing
    kWrongAuthenticator,  // rejects, and signs with another secret
    kAcceptsAll,          // accepts every request, without keys or an end of the session
  };
  BrokenRadiusServer(Fault fault, std::string secret);
  ~BrokenRadiusServer();
  BrokenRadiusServer(const BrokenRadiusServer&) = delete;
  BrokenRadiusServer& operator=(const BrokenRadiusServer&) = delete;

  int port() const { return port_; }
  int requests() const { return requests_; }
  // Whether the secret stood in the command line of a process when a request came.
  bool saw_secret_in_a_command_line() const { return secret_was_seen_; }

 private:
  void Serve();
  void Answer();

  const Fault fault_;
  const std::string secret_;
  issuance::Descriptor socket_;
  int port_ = 0;
  std::atomic<int> requests_{0};
  std::atomic<bool> secret_was_seen_{false};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_BROKEN_RADIUS_SERVER_H_
