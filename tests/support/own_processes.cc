#include "tests/support/own_processes.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

constexpr int kCannotWait = 125;

// Takes in whatever ends, until `child` does; ends as it did, with 128 + signal for a signal.
[[noreturn]] void EndAs(pid_t child) {
  for (;;) {
    int status = 0;
    const pid_t ended = wait(&status);
    if (ended < 0 && errno != EINTR) _exit(kCannotWait);
    if (ended != child) continue;
    _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
  }
}

std::string Failed(const char* what) { return absl::StrCat(what, ": ", strerror(errno)); }

std::string GoOnBelowAnInit() {
  // What is not written yet would be written by both.
  std::fflush(nullptr);
  int alive[2];
  if (pipe(alive) != 0) return Failed("pipe");
  if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) return Failed("no process namespace of our own");
  const pid_t init = fork();
  if (init < 0) return Failed("fork");
  if (init > 0) EndAs(init);
  // The first of the namespace: where it ends, the kernel ends all others.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  close(alive[1]);
  // Whoever started it may have ended before it could say so.
  if (fcntl(alive[0], F_SETFL, O_NONBLOCK) != 0 || read(alive[0], alive, 1) == 0)
    _exit(kCannotWait);
  close(alive[0]);
  const pid_t test = fork();
  if (test < 0) _exit(kCannotWait);
  if (test > 0) EndAs(test);
  // Its own numbers are in its own /proc.
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("proc", "/proc", "proc", 0, nullptr) != 0) {
    return Failed("no mounts of our own");
  }
  return "";
}

}  // namespace

std::string KeepProcessesTogether() {
  static const std::string why = GoOnBelowAnInit();
  return why;
}

}  // namespace hourglass
