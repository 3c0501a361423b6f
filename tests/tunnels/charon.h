// strongSwan as gateway or client, in a namespace.
#ifndef HOURGLASS_TESTS_TUNNELS_CHARON_H_
#define HOURGLASS_TESTS_TUNNELS_CHARON_H_

#include <memory>
#include <string>

#include "tests/support/socket_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tests/tunnels/namespaces.h"

namespace hourglass {

// charon with kernel-libipsec, which needs TUN alone. Killed when this object goes.
class Charon {
 public:
  // Prepares a folder of its own below `directory` for swanctl's files, and its swanctl.conf, which
  // includes conf.d/*.conf.
  Charon(const Namespaces& namespaces, const TemporaryDirectory& directory, std::string name);
  // In this namespace. `plugins`: beside those that each has; `settings`: lines of the section
  // `charon`; whatever is in strongswan.d/ counts too. Ends the process where it does not come up.
  void Start(const std::string& plugins, const std::string& settings = "");

  // swanctl's folder, and the path of a file in it, such as `x509/gateway.pem`, whose folder is
  // there.
  const std::string& folder() const { return folder_; }
  std::string File(const std::string& path) const;
  void Write(const std::string& path, const std::string& content) const;
  // Loads `swanctl.conf` and all that it names; what was loaded and is not there any more goes.
  CommandResult Load() const;

  // `swanctl WORDS` of this charon.
  CommandResult Swanctl(const std::string& words) const;
  // Whether there is an IKE_SA, in whatever state, whose peer is this identity.
  bool HasPeer(const std::string& identity) const;

  std::string vici() const { return sockets_.File("vici"); }
  std::string Log() const { return process_->Log(); }
  BackgroundProcess& process() { return *process_; }

 private:
  const Namespaces& namespaces_;
  const std::string name_;
  const std::string folder_;
  const SocketDirectory sockets_;
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_TUNNELS_CHARON_H_
