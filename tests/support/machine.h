// A machine of its own, as far as the kernel lets one process tree have one.
#ifndef HOURGLASS_TESTS_SUPPORT_MACHINE_H_
#define HOURGLASS_TESTS_SUPPORT_MACHINE_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// Namespaces for network, mounts, processes and the host's name: the file system is this machine's,
// but what is written to /etc, /var, /usr/local, /root and /run stays within, and is gone with this
// object, as are all processes in it. It has no network but loopback until Join. `systemctl` reads
// units as they are and runs them (tests/support/systemctl.py), without systemd; a unit of
// hourglass-bundle runs in the network of the test, where hourglassd is. `apt-get install` succeeds
// where the packages are installed here. The test's BUILD rule gets the script through this
// library. Not thread-safe.
class Machine {
 public:
  // `name`: letters and digits, at most ten. Errors: FailedPrecondition with the reason where this
  // kernel or account lets nobody have one.
  static absl::StatusOr<std::unique_ptr<Machine>> Make(const std::string& name);

  // Where commands run.
  static constexpr char kHome[] = "/run/home";

  // Runs lines by `bash -e` in kHome, with `input` on their standard input.
  CommandResult Run(const std::string& commands, const std::string& input = "") const;
  // Empty where TUN devices can be made in it, or why not.
  std::string WhyNoTun() const;

  // Writes a file of it, with its folders.
  void Write(const std::string& path, absl::string_view content) const;

  const std::string& name() const { return name_; }
  // Of a process in it, for nsenter(1).
  pid_t pid() const { return pid_; }

  // A cable between two: each has an interface `to-OTHER` with the address, such as `192.0.2.1/24`.
  static absl::Status Join(const Machine& one, const std::string& address_of_one,
                           const Machine& other, const std::string& address_of_other);

 private:
  explicit Machine(std::string name) : name_(std::move(name)) {}

  const std::string name_;
  TemporaryDirectory directory_;
  std::unique_ptr<BackgroundProcess> process_;
  pid_t pid_ = -1;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_MACHINE_H_
