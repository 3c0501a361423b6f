// A server of a kit in a temporary folder, and what it says.
#ifndef HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_SERVER_PROGRAM_H_
#define HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_SERVER_PROGRAM_H_

#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/relying_parties/matrix/relying_party.h"
#include "tests/support/socket_directory.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"
#include "tools/gateways/kit.h"

namespace hourglass::matrix {

// Replaces `from`, which must be there, or the process ends: a kit that has changed leaves no test
// that changes nothing.
std::string Replaced(const std::string& text, const std::string& from, const std::string& to);
// Without the lines that hold `part`; there must be such lines.
std::string WithoutLinesOf(const std::string& text, const std::string& part);

// What OpenSSL says of an error of its verification: `10: certificate has expired`.
std::string OpensslReason(int error);

// The last capture of `pattern` in `text`; empty where it matches nowhere.
std::string LastMatch(const std::string& text, const std::regex& pattern);

// The parts that servers on loopback have in common.
class ServerProgram {
 public:
  explicit ServerProgram(const PartySetup& setup);
  // Ends the program by SIGTERM, so that it takes its workers along.
  ~ServerProgram();
  ServerProgram(const ServerProgram&) = delete;
  ServerProgram& operator=(const ServerProgram&) = delete;

  // The files of the kit in `directory()`, with a free port as `listen_port`, 127.0.0.1 as
  // `listen_address`, and `folder`, `server_certificate` and `server_key` filled in; `given` has
  // the others.
  absl::Status WriteKit(const gateways::Kit& kit, gateways::Values given);
  // Changes a file of the kit, by Replaced and WithoutLinesOf.
  void Replace(const std::string& file, const std::string& from, const std::string& to);
  void DropLines(const std::string& file, const std::string& part);

  // Starts the program with the present port and waits until its log holds `ready`; INTERNAL with
  // the log where it ends instead.
  absl::Status Run(const std::vector<std::string>& command, const std::string& ready);

  const TemporaryDirectory& directory() const { return directory_; }
  // The path of a Unix socket of this name.
  std::string Socket(const std::string& name) const { return sockets_.File(name); }
  int port() const { return port_; }
  // Where there is no kit.
  int TakePort();
  // PEM, a file: what the program trusts.
  std::string RootsFile() const { return directory_.File("roots.pem"); }
  BackgroundProcess& process() { return *process_; }

  // What was logged since the last call.
  std::string NewLog();
  // Waits, 10 seconds at most, until what was logged since the last NewLog matches, and gives what
  // was matched first; empty where nothing comes.
  std::string WaitForReason(const std::regex& pattern);
  // The log is in this file of `directory()`, instead of what the program prints.
  void LogIsIn(const std::string& file) { log_file_ = file; }

 private:
  std::string Log() const;

  gateways::KitSubject subject_;
  TemporaryDirectory directory_;
  SocketDirectory sockets_;
  std::string log_file_;
  int port_ = 0;
  std::size_t seen_ = 0;
  // Goes first: it writes into the folder.
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace hourglass::matrix

#endif  // HOURGLASS_TESTS_RELYING_PARTIES_MATRIX_SERVER_PROGRAM_H_
