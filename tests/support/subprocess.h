// Running a program, and what became of it.
#ifndef HOURGLASS_TESTS_SUPPORT_SUBPROCESS_H_
#define HOURGLASS_TESTS_SUPPORT_SUBPROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace hourglass {

struct CommandResult {
  int exit_code;       // 128 + signal where a signal ended it
  std::string output;  // standard output and standard error together
};

// Runs `command` (searched in PATH) with `input` on its standard input, waits for it and returns
// what it said. `environment` entries (`NAME=value`) are added to this process's own. Ends the
// process if it cannot be started.
CommandResult RunCommand(const std::vector<std::string>& command, const std::string& input = "",
                         const std::vector<std::string>& environment = {});

// A program that runs beside the test, its standard output and standard error in `log_path`. Killed
// (SIGKILL) and waited for when this object goes.
class BackgroundProcess {
 public:
  BackgroundProcess(const std::vector<std::string>& command, const std::string& log_path,
                    const std::vector<std::string>& environment = {});
  ~BackgroundProcess();
  BackgroundProcess(const BackgroundProcess&) = delete;
  BackgroundProcess& operator=(const BackgroundProcess&) = delete;

  pid_t pid() const { return pid_; }
  bool Running();
  // Sends `signal`, waits for the end and returns the exit code as in CommandResult.
  int Stop(int signal);
  // Waits until the log holds `text` in a line that has ended, the program ends, or `seconds` have
  // passed; whether the log holds it then. What else the line says is there, too.
  bool WaitForLog(const std::string& text, int seconds = 30);
  std::string Log() const;

 private:
  int Wait(bool block);

  pid_t pid_ = -1;
  int exit_code_ = -1;
  bool ended_ = false;
  std::string log_path_;
};

}  // namespace hourglass

#endif  // HOURGLASS_TESTS_SUPPORT_SUBPROCESS_H_
