#include "tests/support/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

extern char** environ;

namespace hourglass {
namespace {

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::abort();
}

int ExitCode(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

pid_t Spawn(const std::vector<std::string>& command, posix_spawn_file_actions_t* actions,
            const std::vector<std::string>& environment) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (const std::string& entry : environment)
    variables.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) variables.push_back(*entry);
  variables.push_back(nullptr);
  pid_t pid;
  errno = posix_spawnp(&pid, arguments[0], actions, nullptr, arguments.data(), variables.data());
  if (errno != 0) Die(arguments[0]);
  return pid;
}

// Feeds and drains at once, so that neither side can block the other.
std::string Converse(int to_child, int from_child, const std::string& input) {
  std::string output;
  size_t written = 0;
  if (input.empty()) {
    close(to_child);
    to_child = -1;
  }
  for (;;) {
    pollfd ends[2] = {{from_child, POLLIN, 0}, {to_child, POLLOUT, 0}};
    if (poll(ends, 2, -1) < 0) {
      // A signal that this process handles is no reason.
      if (errno == EINTR) continue;
      Die("poll");
    }
    if (ends[1].revents != 0) {
      const ssize_t n = write(to_child, input.data() + written, input.size() - written);
      if (n > 0) written += static_cast<size_t>(n);
      if (n <= 0 || written == input.size()) {
        close(to_child);
        to_child = -1;
      }
    }
    if (ends[0].revents != 0) {
      char buffer[65536];
      const ssize_t n = read(from_child, buffer, sizeof(buffer));
      if (n <= 0) break;
      output.append(buffer, static_cast<size_t>(n));
    }
  }
  if (to_child >= 0) close(to_child);
  return output;
}

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& command, const std::string& input,
                         const std::vector<std::string>& environment) {
  signal(SIGPIPE, SIG_IGN);
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) Die("pipe2");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, out[1], 2);
  const pid_t pid = Spawn(command, &actions, environment);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  CommandResult result;
  result.output = Converse(in[1], out[0], input);
  close(out[0]);
  int status;
  if (waitpid(pid, &status, 0) != pid) Die("waitpid");
  result.exit_code = ExitCode(status);
  return result;
}

BackgroundProcess::BackgroundProcess(const std::vector<std::string>& command,
                                     const std::string& log_path,
                                     const std::vector<std::string>& environment)
    : log_path_(log_path) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                   0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_ = Spawn(command, &actions, environment);
  posix_spawn_file_actions_destroy(&actions);
}

BackgroundProcess::~BackgroundProcess() { Stop(SIGKILL); }

int BackgroundProcess::Wait(bool block) {
  if (ended_) return exit_code_;
  int status;
  if (waitpid(pid_, &status, block ? 0 : WNOHANG) == pid_) {
    ended_ = true;
    exit_code_ = ExitCode(status);
  }
  return exit_code_;
}

bool BackgroundProcess::Running() {
  Wait(false);
  return !ended_;
}

int BackgroundProcess::Stop(int signal) {
  if (Running()) kill(pid_, signal);
  return Wait(true);
}

bool BackgroundProcess::WaitForLog(const std::string& text, int seconds) {
  for (int i = 0; i < seconds * 100; ++i) {
    // A line may be written in pieces.
    const bool runs = Running();
    const std::string log = Log();
    const std::size_t at = log.find(text);
    if (at != std::string::npos && (!runs || log.find('\n', at) != std::string::npos)) return true;
    if (!runs) return false;
    const timespec ten_milliseconds = {0, 10'000'000};
    nanosleep(&ten_milliseconds, nullptr);
  }
  return false;
}

std::string BackgroundProcess::Log() const {
  std::ifstream in(log_path_, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

}  // namespace hourglass
