// end_together COMMAND…: runs a program, and ends it with all that it has started, also what has
// left it to run on its own as a postmaster does: when the program ends, when this process is told
// to (SIGTERM, SIGINT, SIGHUP), and when the process that started this one dies. Exit code: the
// program's, or 128 and the signal's number.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/failover/process_tree.h"

namespace hourglass::failover {
namespace {

// All at once, as a machine ends: nobody says goodbye.
void EndAll() {
  for (;;) {
    StopDescendants(getpid());
    for (const RunningProcess& process : DescendantsOf(getpid())) kill(process.pid, SIGKILL);
    // Those whose parents are gone are children of this process, too.
    while (waitpid(-1, nullptr, 0) > 0) {
    }
    if (errno == ECHILD) return;
  }
}

int ExitCodeOf(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int Run(char** command) {
  const pid_t starter = getppid();
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&signals, number);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return 1;
  if (getppid() != starter) return 1;
  const pid_t program = fork();
  if (program == 0) {
    sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    execvp(command[0], command);
    perror(command[0]);
    _exit(127);
  }
  if (program < 0) return 1;
  for (;;) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number != SIGCHLD) {
      EndAll();
      return 128 + number;
    }
    int status = 0;
    for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended != program) continue;
      EndAll();
      return ExitCodeOf(status);
    }
  }
}

}  // namespace
}  // namespace hourglass::failover

int main(int argc, char** argv) {
  if (argc < 2) {
    fputs("usage: end_together COMMAND…\n", stderr);
    return 2;
  }
  return hourglass::failover::Run(argv + 1);
}
