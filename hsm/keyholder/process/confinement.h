// What a process that holds keys gives up.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_CONFINEMENT_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_CONFINEMENT_H_

#include "absl/status/status.h"

namespace hourglass::hsm {

// For a process that holds keys or a PIN: cannot be traced or dumped by its own user
// (PR_SET_DUMPABLE, RLIMIT_CORE 0), gains no privileges by exec (PR_SET_NO_NEW_PRIVS). Errors:
// INTERNAL_ERROR naming the call.
absl::Status ForbidDumps();

// How long a worker may go on with what it is doing once its parent is gone.
inline constexpr unsigned kSecondsWithoutParent = 3;

// ForbidDumps, and for a worker process: ends kSecondsWithoutParent after the thread that started
// it at the latest (SIGUSR1 by PR_SET_PDEATHSIG, then SIGALRM, for modules that do not return),
// outlives any other signal of hsm/base/signals.h with a line on standard error, drops every
// capability, keeps its memory out of swap where RLIMIT_MEMLOCK is unlimited or may be raised to
// that, makes files for its user only, lets what it starts inherit no `socket` or `administration`.
// `socket` is the worker's end of a socket pair that its parent made; `administration` another one,
// or negative. Then ForbidCalls. Before the module is loaded and any thread is made. Errors:
// INTERNAL_ERROR naming the call; the parent being gone already.
absl::Status ConfineKeyholder(int socket, int administration = -1);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_CONFINEMENT_H_
