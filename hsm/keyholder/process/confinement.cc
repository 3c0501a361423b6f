#include "hsm/keyholder/process/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "hsm/base/error.h"
#include "hsm/base/signals.h"
#include "hsm/base/status_macros.h"
#include "hsm/keyholder/process/call_filter.h"

namespace hourglass::hsm {
namespace {

absl::Status Failed(absl::string_view call) {
  return Error(ErrorReason::kInternalError, "", absl::StrCat(call, ": ", strerror(errno)));
}

// Memory for whose limit one must ask before the capabilities are gone: after that every new
// mapping counts against it, and with MCL_FUTURE the one that exceeds it fails. So all of the
// memory, also that of threads and modules to come, or none. Touched pages only: stacks are large.
void KeepOutOfSwap() {
  rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &unlimited) != 0) return;
  // Kernels before 4.4 know no MCL_ONFAULT, and machines may have no swap to fear: not an error.
  static_cast<void>(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT));
}

absl::Status DropCapabilities() {
  // Whoever lacks CAP_SETPCAP keeps the bounding set (EPERM), which gives nothing to a process that
  // has no capabilities and gains none by exec. EINVAL: past the last that this kernel knows.
  for (unsigned long capability = 0; capability < 64; ++capability) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0 || errno == EPERM) continue;
    if (errno == EINVAL) break;
    return Failed("prctl(PR_CAPBSET_DROP)");
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return Failed("prctl(PR_CAP_AMBIENT)");
  }
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, none) != 0) return Failed("capset");
  return absl::OkStatus();
}

// Of whom SIGUSR1 counts.
pid_t parent = 0;

void Tell(int number) {
  char line[] = "ignored signal 00\n";
  line[15] = static_cast<char>('0' + number / 10);
  line[16] = static_cast<char>('0' + number % 10);
  // A pipe that its parent reads; where that is full there is enough to read.
  pollfd writable = {STDERR_FILENO, POLLOUT, 0};
  if (poll(&writable, 1, 0) != 1) return;
  static_cast<void>(!write(STDERR_FILENO, line, sizeof(line) - 1));
}

// Async-signal-safe. SIGPIPE of this very process is a module's socket, or a TPM, that hung up.
void TakeSignal(int number, siginfo_t* about, void*) {
  const int error = errno;
  if (number == SIGUSR1 && (about->si_pid == parent || about->si_pid == 0)) {
    alarm(kSecondsWithoutParent);
  } else if (number == SIGALRM && about->si_code != SI_USER && about->si_code != SI_TKILL &&
             about->si_code != SI_QUEUE) {
    // The alarm above: its default is the end, as soon as this handler returns.
    signal(SIGALRM, SIG_DFL);
    raise(SIGALRM);
  } else if (number != SIGPIPE || about->si_pid != getpid()) {
    Tell(number);
  }
  errno = error;
}

// One line for each that somebody else sent; those that its parent blocked for it may come now.
absl::Status OutliveStraySignals() {
  parent = getppid();
  struct sigaction take = {};
  take.sa_sigaction = TakeSignal;
  take.sa_flags = SA_RESTART | SA_SIGINFO;
  sigset_t stray;
  sigemptyset(&stray);
  for (const int number : StraySignals()) {
    if (sigaction(number, &take, nullptr) != 0) return Failed("sigaction");
    sigaddset(&stray, number);
  }
  if (sigprocmask(SIG_UNBLOCK, &stray, nullptr) != 0) return Failed("sigprocmask");
  return absl::OkStatus();
}

absl::Status EndWithParent(int socket) {
  // Not SIGKILL: whoever logs in just now must be able to finish.
  RETURN_IF_ERROR(OutliveStraySignals());
  if (prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0) != 0) return Failed("prctl(PR_SET_PDEATHSIG)");
  // A parent that had ended before that sends nothing any more. Who made the socket was the parent,
  // and does not change as getppid() does then.
  ucred maker = {};
  socklen_t size = sizeof(maker);
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &maker, &size) != 0) {
    return Failed("getsockopt(SO_PEERCRED)");
  }
  if (maker.pid != getppid()) {
    return Error(ErrorReason::kInternalError, "", "the process that made the socket is gone");
  }
  // Or what a module starts would hold the line open when this process has ended.
  if (fcntl(socket, F_SETFD, FD_CLOEXEC) != 0) return Failed("fcntl(F_SETFD)");
  return absl::OkStatus();
}

}  // namespace

absl::Status ForbidDumps() {
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return Failed("prctl(PR_SET_DUMPABLE)");
  const rlimit nothing = {0, 0};
  if (setrlimit(RLIMIT_CORE, &nothing) != 0) return Failed("setrlimit(RLIMIT_CORE)");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Failed("prctl(PR_SET_NO_NEW_PRIVS)");
  return absl::OkStatus();
}

absl::Status ConfineKeyholder(int socket, int administration) {
  umask(S_IRWXG | S_IRWXO);
  KeepOutOfSwap();
  // Before the two below: a change of credentials may undo them (prctl(2), PR_SET_PDEATHSIG,
  // PR_SET_DUMPABLE).
  RETURN_IF_ERROR(DropCapabilities());
  RETURN_IF_ERROR(ForbidDumps());
  RETURN_IF_ERROR(EndWithParent(socket));
  if (administration >= 0 && fcntl(administration, F_SETFD, FD_CLOEXEC) != 0) {
    return Failed("fcntl(F_SETFD)");
  }
  return ForbidCalls(CallFilter::kKeyholder);
}

}  // namespace hourglass::hsm
