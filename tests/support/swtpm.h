// A TPM 2.0 in software, of the test's own.
#ifndef HOURGLASS_TESTS_SUPPORT_SWTPM_H_
#define HOURGLASS_TESTS_SUPPORT_SWTPM_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// A swtpm process with a state of its own and its sockets in a folder of its own; no ports. It
// serves one connection at a time. tpm2-tss connects for each command, so that tools may be used
// while a client is there, but there is no resource manager: three transient objects and three
// loaded sessions are all it holds for all clients. It locks after three wrong PINs. Ends the
// process if swtpm is missing.
class Swtpm {
 public:
  // Starts it.
  Swtpm();
  ~Swtpm();
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  // `swtpm:path=…`, the same for this object's life.
  std::string Tcti() const;
  // What tpm2-tools need to reach it, and what silences tpm2-tss, as NAME=value.
  std::vector<std::string> ToolEnvironment() const;

  // Starts it again on the state that it left, as a machine is switched on: registers and what is
  // transient are gone, persistent keys and the count of wrong PINs stay. Must not run.
  void Start();
  // SIGKILL: connections break as they are.
  void Kill();
  // SIGTERM, and waits for the end.
  void Stop();
  // SIGSTOP and SIGCONT: a TPM that gives no answer, and again does.
  void Freeze();
  void Thaw();

  // Runs a program of tpm2-tools against it: {"tpm2_pcrread", "sha256:16"}.
  CommandResult Tool(const std::vector<std::string>& command) const;
  // The same; ends the process if it fails. Returns what it said.
  std::string ToolOrDie(const std::vector<std::string>& command) const;

  // How many wrong PINs it counts against its lock.
  int WrongPins() const;
  // Ends the lock and sets the count to zero.
  void ClearLockout() const;
  // Changes a register of the SHA-256 bank. 16 and 23 can be set to zero again.
  void ExtendRegister(int number) const;
  void ResetRegister(int number) const;
  // What tpm2_getcap lists of objects and sessions that a client left behind; empty: nothing.
  std::string Leftovers() const;

 private:
  TemporaryDirectory directory_;
  // A socket's path may have at most 107 characters, fewer than a test's own folder may take.
  std::string sockets_;
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SWTPM_H_
