// Which calls of the kernel a process may make.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_CALL_FILTER_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_CALL_FILTER_H_

#include "absl/status/status.h"

namespace hourglass::hsm {

// A list of what is forbidden, by seccomp(2), since a vendor's module may need much that we do not
// know: docs/decisions/0020. What is on it ends the process (SIGSYS), but where it is said
// otherwise; a call of another architecture ends it, too. Holds for every thread and cannot be
// undone.
enum class CallFilter {
  // For hourglassd, after the last change of its account: no other process is looked at, made or
  // become (execve, fork, ptrace, process_vm_readv, pidfd_getfd, setuid, …); nothing of the
  // machine is changed (mount, kexec_load, init_module, bpf, settimeofday, …).
  kService,
  // For hourglass-keyholder: the same, but that a module may make processes, and that execve fails
  // with EPERM: some modules try a tool of their vendor and go on without.
  kKeyholder,
};

// Nothing is forbidden where a sanitiser is built in, which needs ptrace and processes of its own.
bool CallFilterIsBuiltIn();

// Implies PR_SET_NO_NEW_PRIVS. Errors: INTERNAL_ERROR naming what the kernel refused.
absl::Status ForbidCalls(CallFilter filter);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_CALL_FILTER_H_
