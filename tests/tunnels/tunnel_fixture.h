// hourglassd with two users on their devices, and hourglass-gatewayd beside a gateway.
#ifndef HOURGLASS_TESTS_TUNNELS_TUNNEL_FIXTURE_H_
#define HOURGLASS_TESTS_TUNNELS_TUNNEL_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "tests/relying_parties/openssl_ca.h"
#include "tests/support/daemon.h"
#include "tests/support/subprocess.h"
#include "tests/tunnels/namespaces.h"

namespace hourglass {

// alice@contoso.example on laptop-1, bob@contoso.example on laptop-2. What is to be skipped is.
class TunnelFixture : public testing::Test {
 protected:
  TunnelFixture();
  void SetUp() override;

  // Issues to `alice` or `bob`, into NAME.pem and NAME.key of the folder.
  void Issue(const std::string& name);
  // The tenant's roots, PEM.
  std::string Roots() const;
  // Runs the program of this name under `tools` as bash would; it must succeed.
  std::string Hourglass(const std::string& words) const;

  // Starts hourglass-gatewayd with these gateways (YAML), and waits until it follows.
  void StartGatewayd(const std::string& gateways);
  // `hourglass devices block`, until `is_down` says so, which is asked again and again. Prints the
  // time as WHAT. Fails where it took the gateway's part (kTimeToDown) or all (kLongestTime) longer
  // than it may.
  void BlockUntilDown(const std::string& device, const std::string& what,
                      const std::function<bool()>& is_down);

  const TemporaryDirectory& directory() const { return daemon_->directory(); }
  std::string File(const std::string& name) const { return directory().File(name); }

  std::unique_ptr<Namespaces> namespaces_;
  std::unique_ptr<Daemon> daemon_;
  std::unique_ptr<BackgroundProcess> gatewayd_;
  // Whom the gateway's own certificate, and the RADIUS server's, come from.
  std::unique_ptr<OpensslCa> server_issuer_;
};

// From the event to a dead tunnel, as hourglass-gatewayd says it; and all of it, also where other
// tests keep the machine busy.
inline constexpr double kTimeToDown = 2.0;  // seconds
inline constexpr std::chrono::seconds kLongestTime(20);

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_TUNNELS_TUNNEL_FIXTURE_H_
