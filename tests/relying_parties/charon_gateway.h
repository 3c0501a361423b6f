// A real strongSwan with what its kit writes, for tests of what it loads. Tunnels: tests/tunnels.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_CHARON_GATEWAY_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_CHARON_GATEWAY_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "tests/relying_parties/openssl_ca.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/gateways/kit.h"

namespace hourglass {

// The folders of a Debian machine with strongSwan, in a temporary one, and its charon on ports that
// the kernel chooses. Needs root, for a /run of its own in which charon keeps its pid.
class CharonGateway {
 public:
  static constexpr char kName[] = "vpn.contoso.example";

  CharonGateway();

  // swanctl's folder; `folder` of the kit must be this, `follower_folder` follower().
  std::string swanctl() const { return directory_.File("swanctl"); }
  std::string follower() const { return directory_.File("kit/follower"); }

  // Writes the kit and copies it as its README says.
  absl::Status Install(const gateways::KitSubject& subject, gateways::Values given);
  // Starts charon; false where it does not come up.
  bool Start();
  // `swanctl WORDS`, by a shell.
  CommandResult Swanctl(const std::string& words) const;
  // The script of the follower, for this trust bundle (PEM).
  CommandResult Reload(const std::string& bundle) const;
  // What swanctl's folder holds: `find`'s listing with the digests of files.
  std::string Listing() const;
  std::string Log() const { return charon_ == nullptr ? "" : charon_->Log(); }

 private:
  CommandResult Shell(const std::string& commands) const;

  TemporaryDirectory directory_;
  std::unique_ptr<BackgroundProcess> charon_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_CHARON_GATEWAY_H_
