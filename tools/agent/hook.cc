#include "tools/agent/hook.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "tools/client/wording.h"

namespace hourglass::agent {
namespace {

constexpr absl::Duration kTimeToEnd = absl::Seconds(5);

absl::Status Failed(absl::string_view option, absl::string_view what) {
  return absl::AbortedError(absl::StrCat(option, ": ", what));
}

// Without the signal mask of this process, in which nothing would ever end the command, and without
// what it ignores.
int Spawn(const std::string& command, const std::vector<std::string>& environment, pid_t* pid) {
  std::string shell = "sh", option = "-c", script = command;
  char* arguments[] = {shell.data(), option.data(), script.data(), nullptr};
  std::vector<std::string> added = environment;
  std::vector<char*> variables;
  for (std::string& entry : added) variables.push_back(entry.data());
  for (char** entry = environ; *entry != nullptr; ++entry) variables.push_back(*entry);
  variables.push_back(nullptr);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  // Standard output is this program's own, one event a line.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  const int result =
      posix_spawn(pid, "/bin/sh", &actions, &attributes, arguments, variables.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return result;
}

absl::Status HowItEnded(absl::string_view option, int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return Failed(option, absl::StrCat("ended by signal ", WTERMSIG(wait_status)));
  }
  if (WEXITSTATUS(wait_status) != 0) {
    return Failed(option, absl::StrCat("ended with exit code ", WEXITSTATUS(wait_status)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunHook(absl::string_view option, const std::string& command,
                     const std::vector<std::string>& environment, Waiter& waiter,
                     absl::Duration limit) {
  pid_t pid = -1;
  const int spawned = Spawn(command, environment, &pid);
  if (spawned != 0) return Failed(option, absl::StrCat("cannot be started: ", strerror(spawned)));
  // The C library of Debian 12 declares pidfd_open for C only.
  const int ended = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  const absl::Cleanup close_ended = [ended] { close(ended); };
  const Awaited awaited = waiter.Wait(waiter.Now() + limit, ended);
  if (awaited != Awaited::kEvent) {
    kill(-pid, SIGTERM);
    if (waiter.Wait(waiter.Now() + kTimeToEnd, ended, true) != Awaited::kEvent) kill(-pid, SIGKILL);
  }
  int wait_status = 0;
  while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) continue;
  if (awaited == Awaited::kTime) {
    return Failed(
        option, absl::StrCat("took longer than ", client::LengthInWords(limit), ", and was ended"));
  }
  // Whatever its exit code: many a script that is told to end says that all is well.
  if (awaited == Awaited::kStop) return Failed(option, "was ended by the stop");
  return HowItEnded(option, wait_status);
}

}  // namespace hourglass::agent
