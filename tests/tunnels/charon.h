// strongSwan as gateway or client, in a namespace.
#ifndef HOURGLASS_TESTS_TUNNELS_CHARON_H_
#define HOURGLASS_TESTS_TUNNELS_CHARON_H_

#include <string>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tests/tunnels/namespaces.h"

namespace hourglass {

// charon with kernel-libipsec, which needs TUN alone. Killed when this object goes.
class Charon {
 public:
  // In this namespace, with its own folder `directory`/NAME for swanctl's files. `plugins`: beside
  // those that each has; `settings`: lines of the section `charon`. Ends the process where it does
  // not come up.
  Charon(const Namespaces& namespaces, const TemporaryDirectory& directory, const std::string& name,
         const std::string& plugins, const std::string& settings = "");

  // Path of a file of swanctl's folder, such as `x509/gateway.pem`, whose folders are there.
  std::string File(const std::string& path) const;
  void Write(const std::string& path, const std::string& content) const;
  // Loads `swanctl.conf` and all that it names; what was loaded and is not there any more goes.
  CommandResult Load() const;

  // `swanctl WORDS` of this charon.
  CommandResult Swanctl(const std::string& words) const;
  // Whether there is an IKE_SA, in whatever state, whose peer is this identity.
  bool HasPeer(const std::string& identity) const;

  std::string vici() const { return folder_ + "/charon.vici"; }
  std::string Log() const { return process_.Log(); }
  BackgroundProcess& process() { return process_; }

 private:
  std::string folder_;
  BackgroundProcess process_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_TUNNELS_CHARON_H_
