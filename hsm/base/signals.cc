#include "hsm/base/signals.h"

#include <string.h>
#include <sys/wait.h>

#include "absl/strings/str_cat.h"

namespace hourglass {
namespace {

bool IsHandled(int number) {
  struct sigaction now = {};
  if (sigaction(number, nullptr, &now) != 0) return true;
  return (now.sa_flags & SA_SIGINFO) != 0 ||
         (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN);
}

}  // namespace

std::vector<int> StraySignals() {
  std::vector<int> signals = {SIGHUP,    SIGUSR1, SIGUSR2, SIGPIPE, SIGALRM,
                              SIGVTALRM, SIGPROF, SIGIO,   SIGPWR,  SIGSTKFLT};
  // The C library keeps the first for itself.
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) signals.push_back(number);
  return signals;
}

sigset_t BlockStraySignals() {
  sigset_t blocked;
  sigemptyset(&blocked);
  struct sigaction nothing = {};
  nothing.sa_handler = [](int) {};
  nothing.sa_flags = SA_RESTART;
  for (const int number : StraySignals()) {
    if (IsHandled(number)) continue;
    sigaddset(&blocked, number);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  for (const int number : StraySignals()) {
    if (sigismember(&blocked, number) == 1) sigaction(number, &nothing, nullptr);
  }
  return blocked;
}

std::string SignalName(int number) {
  if (number >= SIGRTMIN && number <= SIGRTMAX) {
    return absl::StrCat("SIGRTMIN+", number - SIGRTMIN);
  }
  const char* const name = sigabbrev_np(number);
  return name != nullptr ? absl::StrCat("SIG", name) : absl::StrCat("signal ", number);
}

std::string ProcessEnding(int status) {
  return WIFEXITED(status) ? absl::StrCat("exited with ", WEXITSTATUS(status))
                           : absl::StrCat("killed by ", SignalName(WTERMSIG(status)));
}

}  // namespace hourglass
