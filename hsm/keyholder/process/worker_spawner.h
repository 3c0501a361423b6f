// A process that starts workers for another one, which itself may start none.
#ifndef HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_SPAWNER_H_
#define HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_SPAWNER_H_

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "hsm/keyholder/process/account.h"
#include "hsm/keyholder/process/worker_parent.h"

namespace hourglass::hsm {

struct SpawnerOptions {
  WorkerProgram program;
  // What workers may hold. Nothing else is ever started: whoever takes over the process that asks
  // cannot have another module loaded, nor another PIN read, under the workers' account.
  std::vector<std::variant<TokenUri, TpmConnection>> custodians;
  // Of the workers; nothing: that of this process. Needs a process of root's.
  std::optional<Account> account;
};

// Forks a process that starts workers, reaps them and does nothing else, and ends with this one.
// Before any thread is made, before this process changes its account, and before ForbidCalls. With
// an account, the process keeps root's right to change accounts and to end processes, and no other
// (CAP_SETUID, CAP_SETGID, CAP_KILL). Errors: INTERNAL_ERROR naming the call, or that there are
// threads.
//
// Where it ends first, as by SIGKILL, this process gets SIGCHLD; nothing starts another.
absl::StatusOr<std::shared_ptr<WorkerParent>> ForkWorkerSpawner(const SpawnerOptions& options);

// What the two say to each other, a packet each; with a Started come the ends of the worker's
// lines, signing, standard error, and administration where there is one.
struct SpawnRequest {
  enum Kind : int { kStart, kReap };
  Kind kind;
  int custodian;  // of SpawnerOptions, to start
  int threads;    // to start
  pid_t pid;      // to reap
};
struct SpawnReply {
  int error;  // of errno, to start; 0: done
  pid_t pid;
  int status;  // of wait(2); -1: not known
};
inline constexpr int kMostEnds = 3;

// The process's work (spawner_process.cc). Returns never.
[[noreturn]] void RunSpawner(int socket, const SpawnerOptions& options);

}  // namespace hourglass::hsm

#endif  // HOURGLASS_HSM_KEYHOLDER_PROCESS_WORKER_SPAWNER_H_
