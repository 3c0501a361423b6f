// hourglassd itself, as a process of its own, with a SoftHSM token.
#ifndef HOURGLASS_TESTS_SUPPORT_DAEMON_H_
#define HOURGLASS_TESTS_SUPPORT_DAEMON_H_

#include <memory>
#include <string>
#include <vector>

#include "tests/support/service_client.h"
#include "tests/support/softhsm_token.h"
#include "tests/support/subprocess.h"
#include "tests/support/temporary_directory.h"

namespace hourglass {

// The test's BUILD rule must name //tools/hourglassd in `data`.
class Daemon : public ServiceClient {
 public:
  static constexpr char kProgram[] = "tools/hourglassd/hourglassd";

  // Writes the configuration; starts nothing yet.
  Daemon();
  ~Daemon();

  const std::string& config_file() const { return config_file_; }
  // Rewrites the configuration with other words for `keys:` (YAML, flow style) or another data
  // directory, and with more lines.
  void Configure(const std::string& keys, const std::string& data_directory,
                 const std::string& more = "");
  std::string data_directory() const { return directory_.File("data"); }
  const TemporaryDirectory& directory() const { return directory_; }
  const SofthsmToken& token() const { return token_; }

  // Starts the program, with `prefix` (such as `prlimit --fsize=…`) before it, and waits until it
  // serves; false where it ends instead.
  bool Start(const std::vector<std::string>& prefix = {});
  // SIGKILL.
  void Kill();
  // SIGTERM; the exit code.
  int Stop();
  // Its hourglass-keyholder processes that run now.
  std::vector<int> Keyholders() const;
  int pid() const { return process_->pid(); }
  bool Running() { return process_ != nullptr && process_->Running(); }
  // As BackgroundProcess::WaitForLog.
  bool WaitForLog(const std::string& text) { return process_->WaitForLog(text); }
  // The value of this name in the last line of the log that has it. Waits for the first such line,
  // since the service writes its log on a thread of its own; "" where none comes.
  std::string LastLogged(const std::string& name);
  // What it wrote to standard error since the first Start.
  std::string Log() const;

 private:
  TemporaryDirectory directory_;
  SofthsmToken token_;
  std::string config_file_;
  std::string address_file_;
  std::unique_ptr<BackgroundProcess> process_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_DAEMON_H_
