// A gateway, two clients and the test itself, each on a network of its own.
#ifndef HOURGLASS_TESTS_TUNNELS_NAMESPACES_H_
#define HOURGLASS_TESTS_TUNNELS_NAMESPACES_H_

#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace hourglass {

// Network namespaces that are joined by virtual Ethernet:
//
//   alice 10.9.1.2 ── 10.9.1.1 ┐
//                              gateway ── 10.8.0.2 the test (10.8.0.1 is the gateway)
//   bob   10.9.2.2 ── 10.9.2.1 ┘     10.30.0.1 behind it, which tunnels lead to
//
// They, and all that runs in them, go with the test's process, however that ends.
class Namespaces {
 public:
  static constexpr char kGateway[] = "gateway";
  static constexpr char kAlice[] = "alice";
  static constexpr char kBob[] = "bob";
  // As the test reaches the gateway, and the gateway the test.
  static constexpr char kGatewayAddress[] = "10.8.0.1";
  static constexpr char kTestAddress[] = "10.8.0.2";
  // Clients reach it by their tunnels alone.
  static constexpr char kProtectedAddress[] = "10.30.0.1";

  // Takes this process into namespaces of its own: to be called before it has threads or children.
  // "", or why tunnels cannot be tried on this machine: no rights, no TUN.
  // HOURGLASS_TUNNELS=required makes that a failure: it ends the process.
  static std::string Enter();

  // After Enter. Ends the process where it cannot be made. One at a time.
  Namespaces();
  // Whatever ran in them has ended.
  ~Namespaces();
  Namespaces(const Namespaces&) = delete;
  Namespaces& operator=(const Namespaces&) = delete;

  // As clients reach the gateway.
  static std::string GatewayOf(const std::string& client);

  // The command as it runs there. /run is a folder of its own.
  std::vector<std::string> In(const std::string& name,
                              const std::vector<std::string>& command) const;
  // Whether an answer to one ping comes from the protected address within half a second.
  bool Ping(const std::string& client) const;

 private:
  TemporaryDirectory runs_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_TUNNELS_NAMESPACES_H_
